import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { openApp } from '../support/app.js';
import { epoch } from '../support/daemon.js';
import { quietDaemon, silentDaemon } from '../support/scenes.js';

/** A stream has no end, so only its head is asked for. */
const methodFor = (link: string) => (link === '/api/v1/stream' ? 'HEAD' : 'GET');

const hrefs = (html: string): string[] =>
  Array.from(html.matchAll(/<a href="([^"]*)"/g), ([, href]) => href as string);

test('/ is a page with a content security policy that lets nothing in', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  const page = await ask('/');
  assert.equal(page.statusCode, 200);
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  const policy = String(page.headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /script-src|https?:|\*/);
  assert.doesNotMatch(page.body, /<script|\son\w+=|src=/);
});

test('/ links to every route, and every link answers', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  const links = hrefs((await ask('/')).body);
  const { paths } = (await ask('/openapi.json')).json<{ paths: Record<string, object> }>();
  // What has an id in its path is reached from its list; a link asks by GET.
  const routes = Object.keys(paths).filter((path) => !path.includes('{') && 'get' in paths[path]!);
  assert.deepEqual([...links].sort(), [...routes, '/openapi.json'].sort());
  for (const link of links)
    assert.equal((await ask(link, { method: methodFor(link) })).statusCode, 200, link);
});

test('the links answer also while nothing is observed; only /-/ready says 503', async (context) => {
  const { ask } = await openApp(context, silentDaemon());
  for (const link of hrefs((await ask('/')).body))
    assert.equal(
      (await ask(link, { method: methodFor(link) })).statusCode,
      link === '/-/ready' ? 503 : 200,
      link,
    );
});

test('/ says whether this host is observed and, where it is not, why and how to mend it', async (context) => {
  const observing = await openApp(context, quietDaemon());
  assert.match((await observing.ask('/')).body, /are observed on this host/);
  const error = new MmaplockError('not_root', 'bpftrace wants root');
  const blind = await openApp(context, silentDaemon({ tracer: { phase: 'waiting', since: epoch, error } }));
  const { body } = await blind.ask('/');
  assert.match(body, /Nothing is observed/);
  assert.match(body, /<code>not_root<\/code>: bpftrace wants root\. Run as root/);
});

test('/ escapes what others wrote', async (context) => {
  const hostile = `<script>alert("1")</script>&'<img src=x onerror=alert(1)>`;
  const error = new MmaplockError('program_rejected', hostile, { fix: hostile });
  const daemon = silentDaemon({
    tracer: { phase: 'waiting', since: epoch, error },
    kernel: { release: hostile },
  });
  const { ask } = await openApp(context, daemon);
  const { body } = await ask('/');
  assert.doesNotMatch(body, /<script|<img/);
  const escaped = '&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;&#60;img';
  assert.equal(body.split(escaped).length - 1, 3, 'release, message and mend are all there as text');
});
