/** Server-sent events as a client over a real socket sees them. */
import assert from 'node:assert/strict';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../src/http/app.js';
import { createLog } from '../../src/log/log.js';
import type { FakeDaemon } from './daemon.js';

/** What stands between two empty lines; a comment has the name ''. */
export type Block = Readonly<Record<string, string>>;

const parseBlock = (text: string): Block =>
  Object.fromEntries(
    text.split('\n').map((line) => {
      const [, name = '', value = ''] = /^([a-z]*): ?(.*)$/.exec(line) ?? assert.fail(`no field: ${line}`);
      return [name, value];
    }),
  );

/** An application that listens on a port of 127.0.0.1; it is closed after the test. */
export const serve = async (
  context: TestContext,
  daemon: FakeDaemon,
  adjust: (app: FastifyInstance) => void = () => {},
): Promise<{ readonly app: FastifyInstance; readonly url: string }> => {
  const log = createLog({ level: 'silent', format: 'json', stream: { write: () => {} } });
  const app = await buildApp(daemon.view, log, { host: '127.0.0.1', scope: 'everything' });
  adjust(app);
  context.after(() => app.close());
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
};

export class StreamReader {
  /** Whether the connection ended in order, once it has ended. */
  readonly ended: Promise<boolean>;
  readonly #request: ClientRequest;
  readonly #blocks: AsyncGenerator<Block>;

  private constructor(
    request: ClientRequest,
    readonly answer: IncomingMessage,
  ) {
    this.#request = request;
    this.#blocks = blocksOf(answer);
    this.ended = new Promise((resolve) => answer.on('close', () => resolve(answer.complete)));
  }

  /** Resolves when the head of the answer is there. */
  static open(
    url: string,
    { query = '', lastEventId }: { query?: string; lastEventId?: string | undefined } = {},
  ): Promise<StreamReader> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return new Promise((resolve, reject) => {
      const request = get(`${url}/api/v1/stream${query}`, { headers, agent: false }, (answer) => {
        answer.on('error', () => {});
        resolve(new StreamReader(request, answer));
      });
      request.on('error', reject);
    });
  }

  /** The next block; fails where the stream has ended. */
  async next(): Promise<Block> {
    const { value, done } = await this.#blocks.next();
    if (done === true) assert.fail('the stream has ended');
    return value;
  }

  async take(count: number): Promise<Block[]> {
    const blocks: Block[] = [];
    while (blocks.length < count) blocks.push(await this.next());
    return blocks;
  }

  leave(): void {
    this.#request.destroy();
  }
}

async function* blocksOf(answer: IncomingMessage): AsyncGenerator<Block, undefined> {
  answer.setEncoding('utf8');
  let text = '';
  for await (const part of answer) {
    const blocks = (text + part).split('\n\n');
    text = blocks.pop() as string;
    yield* blocks.map(parseBlock);
  }
}
