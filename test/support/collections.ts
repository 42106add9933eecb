/**
 * Sizes of all Maps, Sets, arrays and dictionaries that can be reached from some objects: through members, also private
 * ones, through what collections hold, and through what functions have closed over, their modules included. So a
 * collection that is added later is seen without being named anywhere. The inspector shows what the language hides.
 */
import { type Debugger, type Runtime, Session } from 'node:inspector';

/** Of a large collection so many of its first and of its last are looked into: what it holds is of one kind. */
const looked = 3;
/** An object with more members than any type of ours has is used as a dictionary. */
const mostMembers = 40;
/** Of functions in these all scopes are looked into. */
const ours = /\/dist\/src\//;
/** Of functions in these what lies between them and their module: the handlers that they were given. */
const holdsOurs = /\/node_modules\/(?:fastify|find-my-way|avvio)\//;

const sample = <Item>(items: readonly Item[]): readonly Item[] =>
  items.length <= 2 * looked ? items : [...items.slice(0, looked), ...items.slice(-looked)];

/** Objects of these have no private members. */
const open: ReadonlySet<unknown> = new Set([
  Object.prototype,
  Array.prototype,
  Map.prototype,
  Set.prototype,
  null,
]);

interface Found {
  readonly object: object;
  readonly where: string;
}

type Members = Runtime.GetPropertiesReturnType & {
  /** The types of Node do not know them. */
  readonly privateProperties?: readonly Runtime.InternalPropertyDescriptor[];
};
type Internal = readonly Runtime.InternalPropertyDescriptor[];

/** The handle of an internal member, such as `[[Scopes]]`. */
const internalOf = (members: Internal, name: string): Runtime.RemoteObject | undefined =>
  members.find((member) => member.name === name)?.value;

class Walk {
  readonly sizes = new Map<string, number>();
  readonly #session = new Session();
  /** Where they lie, by id. */
  readonly #scripts = new Map<string, string>();
  readonly #seen = new Set<object>();
  readonly #queue: Found[] = [];

  from(roots: Readonly<Record<string, object>>): void {
    this.#session.connect();
    this.#session.on(
      'Debugger.scriptParsed',
      ({ params: { scriptId, url } }: { readonly params: Debugger.ScriptParsedEventDataType }) =>
        this.#scripts.set(scriptId, url),
    );
    // Objects go to and from the inspector by these two.
    Object.assign(globalThis, { inHand: undefined, handOver: this.#add.bind(this) });
    try {
      this.#ask('Debugger.enable', {});
      for (const [name, root] of Object.entries(roots)) this.#add(root, name);
      // The nearest first, so that the way to each is short.
      for (const found of this.#queue) this.#look(found);
    } finally {
      this.#session.disconnect();
      Reflect.deleteProperty(globalThis, 'inHand');
      Reflect.deleteProperty(globalThis, 'handOver');
    }
  }

  #add(value: unknown, where: string): void {
    const isReference = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (!isReference || this.#seen.has(value) || ArrayBuffer.isView(value)) return;
    this.#seen.add(value);
    this.#queue.push({ object: value, where });
  }

  #note(where: string, size: number): void {
    this.sizes.set(where, Math.max(size, this.sizes.get(where) ?? 0));
  }

  #look({ object, where }: Found): void {
    if (object instanceof Map || object instanceof Set) {
      this.#note(where, object.size);
      for (const item of sample([...object].flat())) this.#add(item, `${where}.*`);
    }
    const keys = Reflect.ownKeys(object).filter((key) => key !== 'length');
    const isCollection = Array.isArray(object) || keys.length > mostMembers;
    if (isCollection) this.#note(where, keys.length);
    for (const key of isCollection ? sample(keys) : keys) {
      const { value, get } = Reflect.getOwnPropertyDescriptor(object, key) ?? {};
      this.#add(value ?? get, `${where}.${isCollection ? '*' : String(key)}`);
    }
    if (!open.has(Object.getPrototypeOf(object))) this.#lookBehind({ object, where });
  }

  #lookBehind({ object, where }: Found): void {
    Object.assign(globalThis, { inHand: object });
    const { result } = this.#ask<Runtime.EvaluateReturnType>('Runtime.evaluate', {
      expression: 'inHand',
      objectGroup: 'walk',
    });
    const { privateProperties = [], internalProperties = [] } = this.#membersOf(result);
    for (const { name, value } of privateProperties) this.#take(value, `${where}.${name}`);
    if (typeof object === 'function') this.#lookAround(internalProperties, where);
    this.#ask('Runtime.releaseObjectGroup', { objectGroup: 'walk' });
  }

  /** What a function has closed over. */
  #lookAround(internal: Internal, where: string): void {
    const place = internalOf(internal, '[[FunctionLocation]]')?.value as Debugger.Location | undefined;
    const script = this.#scripts.get(place?.scriptId ?? '') ?? '';
    const scopes = internalOf(internal, '[[Scopes]]');
    if (scopes === undefined || !(ours.test(script) || holdsOurs.test(script))) return;
    for (const { value: scope } of this.#membersOf(scopes).result) {
      const [, kind, name] = /^(Closure|Block|Module)(?: \((.*)\))?$/.exec(scope?.description ?? '') ?? [];
      // The scope without a name is that of a whole CommonJS module.
      if (scope === undefined || kind === undefined || (!ours.test(script) && name === undefined)) continue;
      const around = kind === 'Module' ? script.replace(/^.*\/dist\//, '') : `${where}(${name ?? ''})`;
      for (const variable of this.#membersOf(scope).result)
        this.#take(variable.value, `${around}.${variable.name}`);
    }
  }

  #membersOf({ objectId }: Runtime.RemoteObject): Members {
    return this.#ask('Runtime.getProperties', { objectId, ownProperties: true });
  }

  /** Adds what the inspector has a handle of. */
  #take(handle: Runtime.RemoteObject | undefined, where: string): void {
    if (handle?.objectId === undefined) return;
    this.#ask('Runtime.callFunctionOn', {
      objectId: handle.objectId,
      functionDeclaration: 'function (where) { handOver(this, where); }',
      arguments: [{ value: where }],
    });
  }

  /** The inspector of its own thread answers at once. */
  #ask<Answer>(method: string, parameters: object): Answer {
    let answer: unknown;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(`${method}: ${JSON.stringify(error)}`);
      answer = result;
    });
    return answer as Answer;
  }
}

/** By the shortest way to each from one of the roots; of several in the same place the largest counts. */
export const collectionSizes = (roots: Readonly<Record<string, object>>): ReadonlyMap<string, number> => {
  const walk = new Walk();
  walk.from(roots);
  return walk.sizes;
};
