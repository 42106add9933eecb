import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApp } from '../support/app.js';
import { busyDaemon } from '../support/scenes.js';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
}
interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}
interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly Parameter[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<
    Record<string, { description: string; content?: Readonly<Record<string, { schema: Schema }>> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
}

/** Every path that is served and described, with the names of its parameters. */
const routes: Readonly<Record<string, readonly string[]>> = {
  '/metrics': [],
  '/-/healthy': [],
  '/-/ready': [],
  '/api/v1/status': [],
  '/api/v1/history': [],
  '/api/v1/stream': ['last-event-id', 'types'],
  '/api/v1/waits': ['cursor', 'limit', 'mode', 'operation', 'sort'],
  '/api/v1/processes': ['cursor', 'limit', 'process', 'since', 'sort'],
  '/api/v1/readers': ['cursor', 'file', 'limit', 'reader', 'since', 'sort'],
  '/api/v1/blocks': ['cursor', 'file', 'limit', 'reader', 'since', 'sort', 'victim'],
  '/api/v1/incidents': ['cursor', 'file', 'limit', 'reader', 'since', 'sort', 'state', 'victim'],
  '/api/v1/incidents/{id}': ['id'],
  '/api/v1/inspect': ['seconds', 'target'],
};

/** The method of a path that does not take GET. */
const methodOf: Readonly<Record<string, string>> = { '/api/v1/inspect': 'post' };

/** Where a parameter is that is not in the query. */
const places: Readonly<Record<string, string>> = { 'last-event-id': 'header', id: 'path' };

test('/openapi.json describes every route and its parameters', async (context) => {
  const { ask } = await openApp(context);
  const answer = await ask('/openapi.json');
  assert.match(String(answer.headers['content-type']), /^application\/json\b/);
  const { openapi, info, paths } = answer.json<Document>();
  assert.match(openapi, /^3\.1\.\d+$/);
  assert.deepEqual(info, { title: 'mmaplockd', version: '1.2.3' });
  assert.deepEqual(Object.keys(paths).sort(), Object.keys(routes).sort());
  for (const [path, methods] of Object.entries(paths)) {
    const method = methodOf[path] ?? 'get';
    assert.deepEqual(Object.keys(methods), [method], path);
    const { summary, parameters = [], responses } = methods[method]!;
    assert.ok(summary !== undefined && summary.length > 0, `${path} has a summary`);
    assert.deepEqual(parameters.map(({ name }) => name).sort(), routes[path], path);
    for (const { in: place, name, schema } of parameters) {
      assert.equal(place, places[name] ?? 'query');
      assert.ok(schema.type !== undefined || schema.enum !== undefined, `${path} ${name} has a type`);
    }
    for (const [status, { description }] of Object.entries(responses)) {
      assert.match(status, /^([1-5]\d\d|[1-5]XX|default)$/);
      assert.equal(typeof description, 'string', 'OpenAPI requires one');
    }
  }
});

test('/openapi.json holds only keywords of OpenAPI 3.1, whose schemas are JSON Schema: no `nullable`', async (context) => {
  const { ask } = await openApp(context);
  const { body } = await ask('/openapi.json');
  assert.doesNotMatch(body, /"nullable"|"~kind"|"\$ref"/);
  const visit = (schema: Schema): void => {
    if (schema.type !== undefined)
      assert.ok(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'].includes(schema.type));
    for (const name of schema.required ?? []) assert.ok(schema.properties?.[name] !== undefined, name);
    for (const child of Object.values(schema.properties ?? {})) visit(child);
    if (schema.items !== undefined) visit(schema.items);
    for (const child of schema.anyOf ?? []) visit(child);
  };
  const { paths } = JSON.parse(body) as Document;
  for (const { parameters = [], responses } of Object.values(paths).flatMap(Object.values<Operation>)) {
    visit({ anyOf: parameters.map(({ schema }) => schema) });
    for (const { content = {} } of Object.values(responses))
      for (const { schema } of Object.values(content)) visit(schema);
  }
});

/** Fails where a value is not as its schema says, or has a member that the schema does not tell of. */
const conform = (value: unknown, schema: Schema, path: string): void => {
  if (schema.anyOf !== undefined) {
    const type = value === null ? 'null' : typeof value;
    const types = Number.isInteger(value) ? [type, 'integer'] : [type];
    const fits = schema.anyOf.some((each) => types.includes(each.type ?? ''));
    assert.ok(fits, `${path}: ${JSON.stringify(value)}`);
  } else if (schema.enum !== undefined) {
    assert.ok(schema.enum.includes(value), `${path}: ${JSON.stringify(value)}`);
  } else if (schema.type === 'array') {
    assert.ok(Array.isArray(value) && value.length > 0, `${path} has items to look at`);
    for (const item of value) conform(item, schema.items as Schema, `${path}[]`);
  } else if (schema.type === 'object') {
    assert.deepEqual(Object.keys(value as object).sort(), Object.keys(schema.properties ?? {}).sort(), path);
    for (const [name, child] of Object.entries(schema.properties ?? {}))
      conform((value as Record<string, unknown>)[name], child, `${path}.${name}`);
  } else if (schema.type === 'integer') {
    assert.ok(Number.isInteger(value), `${path}: ${JSON.stringify(value)}`);
  } else {
    assert.equal(typeof value, schema.type, path);
  }
};

for (const path of ['/api/v1/waits', '/api/v1/processes', '/api/v1/readers', '/api/v1/blocks'])
  test(`${path} answers as it is described`, async (context) => {
    const { ask } = await openApp(context, busyDaemon());
    const { paths } = (await ask('/openapi.json')).json<Document>();
    const schema = paths[path]!.get!.responses['200']!.content!['application/json']!.schema;
    conform((await ask(path)).json(), schema, path);
  });

test('/openapi.json tells which route asks for a token, and how it is sent', async (context) => {
  const { ask } = await openApp(context);
  const { paths, components } = (await ask('/openapi.json')).json<Document>();
  const { type, scheme } = components.securitySchemes.bearer!;
  assert.deepEqual([type, scheme], ['http', 'bearer']);
  const guarded = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap(({ security }) => (security === undefined ? [] : [[path, security]])),
  );
  assert.deepEqual(guarded, [['/api/v1/inspect', [{ bearer: [] }]]]);
});

test('/openapi.json tells that the stream is one of server-sent events, and which there are', async (context) => {
  const { ask } = await openApp(context);
  const { paths } = (await ask('/openapi.json')).json<Document>();
  const { description, content } = paths['/api/v1/stream']!.get!.responses['200']!;
  assert.deepEqual(Object.keys(content ?? {}), ['text/event-stream']);
  for (const event of ['tick', 'incident', 'gap'])
    assert.match(description, new RegExp(`^\`${event}\`: `, 'm'));
});
