import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { after, before, type TestContext, test } from 'node:test';
import { createLog } from '../../src/log/log.js';
import { createMarkAnswers, markOpenProcFiles } from '../../src/survey/open-files.js';

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that has opened this before it is given back, and keeps it open. */
const holderOf = async (file: string): Promise<number> => {
  const child = spawn('sh', ['-c', `exec 3<${file}; echo ready; exec cat`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid!;
};

let holders: readonly number[];
let bystander: number;
before(async () => {
  holders = [await holderOf('/proc/self/maps'), await holderOf('/proc/self/task/$$/smaps')];
  bystander = await holderOf('/proc/self/stat');
});

/** What was asked by kill(), in order, and the warnings. */
const marked = async (context: TestContext, kill: typeof process.kill = process.kill) => {
  const asked = context.mock.method(process, 'kill', kill);
  const warnings: string[] = [];
  await markOpenProcFiles(
    createLog({ level: 'warn', format: 'json', stream: { write: (line) => warnings.push(line) } }),
  );
  return { calls: asked.mock.calls.map((call) => call.arguments), warnings };
};

test('whoever holds a proc file open is asked after once, and is sent nothing', async (context) => {
  const { calls, warnings } = await marked(context);
  for (const pid of holders) assert.equal(calls.filter(([asked]) => asked === pid).length, 1);
  assert.ok(!calls.some(([pid]) => pid === bystander));
  assert.ok(calls.every(([, signal]) => signal === 0));
  assert.deepEqual(warnings, []);
});

test('one that is gone by then keeps no other from being asked after', async (context) => {
  const { calls, warnings } = await marked(context, () => {
    throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' });
  });
  for (const pid of holders) assert.ok(calls.some(([asked]) => asked === pid));
  assert.deepEqual(warnings, []);
});

test('where processes cannot be listed, that is told and nothing else happens', async (context) => {
  context.mock.method(fs, 'readdir', () => Promise.reject(new Error('EMFILE: too many open files')));
  syncBuiltinESMExports();
  const { calls, warnings } = await marked(context).finally(() => {
    context.mock.restoreAll();
    syncBuiltinESMExports();
  });
  assert.deepEqual(calls, []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /"level":"warn".*opened before the tracer are not seen: EMFILE/);
});

/** Answers of a daemon that finds this of everybody, and whom it asked after. */
const answers = (open: boolean | undefined, links = 10) => {
  const asked: number[] = [];
  const looked: number[] = [];
  let at = 0;
  const answer = createMarkAnswers({
    now: () => at,
    hasOpen: async (pid, most) => {
      looked.push(pid);
      return { open, links: Math.min(links, most) };
    },
    askAfter: (pid) => asked.push(pid),
  });
  return { answer, asked, looked, later: (milliseconds: number) => (at += milliseconds) };
};

test('a mark goes only where nothing is open; a file that is open, or may be, keeps it', async () => {
  for (const [open, told] of [
    [false, [-42]],
    [true, []],
    [undefined, []],
  ] as const) {
    const { answer, asked } = answers(open);
    await answer(42);
    assert.deepEqual(asked, told, String(open));
  }
});

test('nobody asks after process 1, for that would be everybody', async () => {
  const { answer, asked, looked } = answers(false);
  await answer(1);
  assert.deepEqual([asked, looked], [[], []]);
});

test('who was too many in a second is not looked at, and keeps the mark', async () => {
  const { answer, asked, looked, later } = answers(false, 3000);
  for (const pid of [10, 11, 12, 13]) await answer(pid);
  assert.deepEqual(looked, [10, 11], '5,000 links a second');
  later(1000);
  await answer(12);
  assert.deepEqual(asked, [-10, -11, -12]);
});

test('of real processes, one that has a proc file open keeps its mark, and a bystander loses it', async () => {
  const asked: number[] = [];
  const answer = createMarkAnswers({ now: () => 0, askAfter: (pid) => asked.push(pid) });
  for (const pid of [...holders, bystander]) await answer(pid);
  assert.deepEqual(asked, [-bystander]);
});

test('where it cannot be looked at the mark stays', async () => {
  const asked: number[] = [];
  const answer = createMarkAnswers({
    now: () => 0,
    hasOpen: () => Promise.reject(new Error('EMFILE: too many open files')),
    askAfter: (pid) => asked.push(pid),
  });
  await answer(42);
  assert.deepEqual(asked, []);
});
