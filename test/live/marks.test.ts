/** Marks of who has a proc file open, where tracepoints tell of reads: they fade, and no read is lost by that. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { runCanary } from '../../src/bpftrace/dialect.js';
import { findBpftrace } from '../../src/bpftrace/find.js';
import { type Session, startSession } from '../../src/bpftrace/process/session.js';
import { loadConfig } from '../../src/config/load.js';
import { joinProgram } from '../../src/probes/program.js';
import type { Tick } from '../../src/records.js';
import { createMarkAnswers } from '../../src/survey/open-files.js';
import { surveyHost } from '../../src/survey/survey.js';
import { killLeftovers } from './support/children.js';
import { lacking } from './support/host.js';
import { eventually } from './support/patience.js';
import { runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

/** A minute, as the program has it, and what stands for it here. */
const minute = '60000000000';
const short = '200000000';

describe('marks that fade after 0.2 s', { skip, concurrency: true }, () => {
  let session: Session;
  const asked: { readonly pid: number; readonly at: number }[] = [];
  const ticks: Tick[] = [];
  const notice = (): void => {};
  const timesAsked = (pid: number): number => asked.filter((one) => one.pid === pid).length;

  before(async () => {
    const { plan } = await surveyHost(loadConfig({ flags: { 'probes.allow': ['tracepoint'] } }));
    const program = joinProgram(plan.chosen);
    assert.ok(program.text.includes(minute), 'marks fade');
    const { path } = await findBpftrace({ env: process.env });
    // This process is the daemon that the program looks at.
    const answer = createMarkAnswers({ now: () => performance.now() });
    session = startSession({
      path,
      program: { ...program, text: program.text.replaceAll(minute, short) },
      dialect: await runCanary([path]),
      mapKeys: 1024,
      now: () => Date.now(),
      onRecord: (record) => {
        if (record.kind === 'mark_asked') {
          asked.push({ pid: record.pid, at: performance.now() });
          void answer(record.pid);
        } else if (record.kind === 'tick') ticks.push(record);
        notice();
      },
      onAttached: () => {},
      onStderr: () => {},
    });
    await eventually('it ticks', async () => (ticks.length > 0 ? true : undefined));
  });

  after(async () => {
    session.stop();
    await session.ended;
  });

  /** Reads of maps by a name, in the second tick from now. */
  const readsOf = async (name: string): Promise<number> => {
    const from = ticks.length;
    await eventually('two ticks', async () => (ticks.length >= from + 2 ? true : undefined));
    return ticks
      .at(-1)!
      .readers.filter((row) => row.name === name && row.file === 'maps')
      .reduce((sum, { reads }) => sum + reads, 0);
  };

  for (const [what, open] of [
    ['holds the file open', 'once'],
    ['inherited the open file', 'inherit'],
    ['opens the file anew each time', 'each'],
  ] as const)
    test(`every read of a process that reads seldom, much else, and ${what}`, async (t) => {
      const name = `mk-${open}`;
      const reader = await runWorkload('proc-reader', [
        ...['maps', 'self', '--name', name, '--open', open, '--passes', '6'],
        ...['--between', '100000', '--pause-us', '300000'],
      ]);
      const truth = await reader.done;
      const seen = await readsOf(name);
      t.diagnostic(JSON.stringify({ truth: truth.reads, seen, asked: timesAsked(truth.reader_pid) }));
      assert.equal(seen, truth.reads);
      assert.ok(timesAsked(truth.reader_pid) > 0, 'its mark was in question');
    });

  test('what a process that read its maps once has started is asked after, and then reads unmarked', async (t) => {
    const reads = 'dd if=/dev/zero of=/dev/null bs=1 count=4000000 2>/dev/null & echo $!; wait';
    const began = performance.now();
    const { stdout } = await execa('sh', ['-c', `exec 3</proc/self/maps; exec 3<&-; ${reads}`]);
    const ended = performance.now();
    const own = asked.filter(({ pid }) => pid === Number(stdout));
    t.diagnostic(JSON.stringify({ ms: ended - began, asked: own.map(({ at }) => at - began) }));
    assert.ok(own.length > 0, 'it had the mark of its parent');
    assert.ok(ended - began > 1000, 'long enough to be asked after several times');
    const late = own.filter(({ at }) => at > (began + ended) / 2);
    assert.deepEqual(late, [], 'once its mark is gone nobody asks any more');
  });
});
