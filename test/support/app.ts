/** An application of the HTTP API over a fake daemon, asked without a socket. */
import assert from 'node:assert/strict';
import { after, type TestContext } from 'node:test';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildApp } from '../../src/http/app.js';
import { createLog } from '../../src/log/log.js';
import { FakeDaemon } from './daemon.js';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly field?: string;
  readonly detail: string;
  readonly fix: string;
}

export interface TestApp {
  readonly daemon: FakeDaemon;
  /** Every line logged at info or above. */
  readonly log: readonly string[];
  /** A GET with a Host that is allowed, unless told otherwise. */
  ask(url: string, options?: InjectOptions): Promise<LightMyRequestResponse>;
}

const makeApp = async (
  daemon: FakeDaemon,
  scope: 'everything' | 'metrics',
): Promise<TestApp & { close(): Promise<void> }> => {
  const log: string[] = [];
  const stream = { write: (line: string) => log.push(line) };
  const host = scope === 'everything' ? '127.0.0.1' : '0.0.0.0';
  const app = await buildApp(daemon.view, createLog({ level: 'info', format: 'json', stream }), {
    host,
    scope,
  });
  return {
    close: () => app.close(),
    daemon,
    log,
    ask: (url, options) =>
      app.inject({
        method: 'GET',
        url,
        ...options,
        headers: { host: 'localhost:10465', ...options?.headers },
      }),
  };
};

/** Opens an application that is closed after the test. */
export const openApp = async (
  context: TestContext,
  daemon: FakeDaemon = new FakeDaemon(),
  scope: 'everything' | 'metrics' = 'everything',
): Promise<TestApp> => {
  const app = await makeApp(daemon, scope);
  context.after(() => app.close());
  return app;
};

/**
 * Asks one application in all tests of a file that change nothing: to make one takes longer than such a test. It is
 * made when it is first asked, and closed after the last test of the file.
 */
export const askSharedApp = (daemon: FakeDaemon = new FakeDaemon()): TestApp['ask'] => {
  let app: ReturnType<typeof makeApp> | undefined;
  after(async () => (await app)?.close());
  return async (url, options) => {
    app ??= makeApp(daemon, 'everything');
    return (await app).ask(url, options);
  };
};

/** The problem an answer holds; fails where it is not one of the given status and code. */
export const problemOf = (answer: LightMyRequestResponse, status: number, code: string): Problem => {
  assert.equal(answer.statusCode, status, answer.body);
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json\b/);
  const problem = answer.json<Problem>();
  assert.equal(problem.status, status);
  assert.equal(problem.code, code);
  assert.ok(problem.detail.length > 0 && problem.fix.length > 0, 'it says what is wrong and how to mend it');
  return problem;
};
