/** What the daemon finds out when it starts, on hosts that hide something or are not what they seem. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { execa } from 'execa';
import { findBpftrace } from '../../src/bpftrace/find.js';
import { upToThreeTimes } from '../support/timing.js';
import { assertBlocksOf } from './support/blocks.js';
import { killLeftovers, track } from './support/children.js';
import { mainFile, packageRoot, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { watchLines } from './support/lines.js';
import { eventually, patience, within } from './support/patience.js';
import { assertReads, seenOf } from './support/reads.js';
import { runWorkload } from './support/workload.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const options = { skip, timeout: patience(180) };
const folders: string[] = [];

after(async () => {
  await killLeftovers();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const folder = async (): Promise<string> => {
  const made = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
  folders.push(made);
  return made;
};

/** What to put before a command that shall find another symbol table, and nobody else. */
const withSymbols = async (change: (symbols: string) => string): Promise<readonly string[]> => {
  const file = path.join(await folder(), 'kallsyms');
  await writeFile(file, change(await readFile('/proc/kallsyms', 'latin1')), 'latin1');
  const script = 'mount --bind "$1" /proc/kallsyms && shift && exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', file];
};

/** As kernel.kptr_restrict=2 shows it. */
const hidden = (symbols: string): string => symbols.replace(/^[0-9a-f]{16}/gm, '0'.repeat(16));

interface Report {
  readonly verdict: string;
  readonly problems: readonly { readonly code: string }[];
  readonly observables: readonly {
    readonly what: string;
    readonly observed: boolean;
    readonly source?: string;
    readonly reason?: { readonly code: string };
  }[];
}

const check = async (wrap: readonly string[] = [], args: readonly string[] = []) => {
  const [file = '', ...rest] = [...wrap, process.execPath, mainFile, 'check', '--json', ...args];
  const { stdout, exitCode } = await execa(file, rest, { reject: false });
  const report = JSON.parse(stdout) as Report;
  const reasonOf = (what: string): string | undefined =>
    report.observables.find((observable) => observable.what === what)?.reason?.code;
  return { report, exitCode, reasonOf };
};

/** What to put before a command: it is process 1 of that namespace, and all of it ends with it. */
const inOwnPidNamespace = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

/** Such a daemon is ended by its wrapper alone, for its own pid is that of somebody else here. */
const startInOwnPidNamespace = async () => {
  const [file = '', ...rest] = [
    ...[...inOwnPidNamespace, process.execPath, mainFile, 'run', '--web.listen-address=127.0.0.1:0'],
    ...['--allow-second', '--log.format=json'],
  ];
  const child = execa(file, rest, { reject: false, stdin: 'ignore', stdout: 'ignore' });
  track(child);
  const [, url] = await watchLines(child.stderr, 'mmaplockd').match(/"urls":"(http[^" ]+)/);
  return {
    ready: () =>
      within(10, async (signal) => {
        const response = await fetch(`${url}/-/ready`, { signal });
        return { status: response.status, body: (await response.json()) as Report };
      }),
    stop: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
};

const codesOf = ({ problems }: { readonly problems: readonly { readonly code: string }[] }): string[] =>
  problems.map(({ code }) => code);

describe('one beside another', { concurrency: 2 }, () => {
  test(
    'hidden addresses lose nothing: check says the same, and a reader is counted and blamed',
    options,
    async (t) => {
      const wrap = await withSymbols(hidden);
      const [seen, unseen] = [await check(), await check(wrap)];
      assert.deepEqual(unseen.report.observables, seen.report.observables);
      assert.deepEqual([unseen.report.verdict, unseen.exitCode], [seen.report.verdict, seen.exitCode]);

      const daemon = await startDaemon({ wrap });
      await daemon.ready(60);
      assert.deepEqual(codesOf((await daemon.get<Report>('/-/ready')).body), []);
      let attempt = 0;
      await upToThreeTimes(t, 'start-check: hidden addresses, a reader blocks a writer', async () => {
        attempt += 1;
        const names = { reader: `sc-reader-${attempt}`, victim: `sc-victim-${attempt}` };
        const writer = await runWorkload('writers', [
          ...['--threads', '1', '--vmas', '20000', '--seconds', '600', '--name', names.victim],
        ]);
        await writer.ready;
        const reader = await runWorkload('proc-reader', [
          ...['smaps', String(writer.pid), '--name', names.reader, '--passes', '100'],
        ]);
        const truth = await reader.done;
        const { schedstat } = await writer.stop();
        const metrics = await daemon.settled();
        assertReads(metrics, seenOf(metrics, names.reader, 'smaps').reads, truth.reads);
        assert.equal(seenOf(metrics, names.reader, 'smaps').opens, truth.opens);
        assertBlocksOf(t, metrics, { ...names, file: 'smaps' }, schedstat);
      });
      assert.equal(await daemon.stop(), 0);
    },
  );

  test('a wrong idea of where registers are saved is found out: unproven, not 0', options, async () => {
    // A kernel with KASAN has stacks twice as large.
    const wrap = await withSymbols((symbols) => `${symbols}ffffffff81000000 T __asan_load8\n`);
    const { report, exitCode, reasonOf } = await check(wrap);
    assert.deepEqual([report.verdict, exitCode], ['partial', 1]);
    assert.equal(reasonOf('waits'), undefined);
    for (const what of ['operations', 'reads', 'retries', 'blocks'])
      assert.equal(reasonOf(what), 'registers_unproven', what);
    for (const what of ['convoys', 'blocked_time', 'stalls'])
      assert.equal(reasonOf(what), 'needs_fragment', what);

    const daemon = await startDaemon({ wrap });
    const metrics = await daemon.ready(60);
    assert.deepEqual(codesOf((await daemon.get<Report>('/-/ready')).body), ['registers_unproven']);
    for (const what of ['operations', 'reads', 'blocks'])
      assert.equal(metrics.sum('mmaplock_observable', { what }), 0, what);
    assert.equal(metrics.sum('mmaplock_proc_reads_total'), undefined, 'absent, not 0');
    assert.equal(daemon.log.filter(({ level }) => level === 'error').length, 1, 'and the log says it once');
    assert.equal(await daemon.stop(), 0);
  });

  test('a source that does not see each read is found out, and reads are unproven', options, async () => {
    const fragments = await folder();
    await cp(path.join(packageRoot, 'bpf'), fragments, { recursive: true });
    const file = path.join(fragments, 'sources/reads-tracepoint.bt');
    const source = await readFile(file, 'utf8');
    await writeFile(file, source.replace('tracepoint:syscalls:sys_exit_pread64,\n', ''));
    // Of the sources this one alone, whatever else this host could run.
    const args = ['--probes.directory', fragments, '--probes.allow=tracepoint'];
    const { report, exitCode, reasonOf } = await check([], args);
    assert.deepEqual([report.verdict, exitCode], ['partial', 1]);
    assert.equal(reasonOf('reads'), 'reads_unproven');
    assert.equal(reasonOf('waits'), undefined);
    const daemon = await startDaemon({ args });
    await daemon.ready(60);
    assert.ok(codesOf((await daemon.get<Report>('/-/ready')).body).includes('reads_unproven'));
    assert.equal(await daemon.stop(), 0);
  });

  test(
    'in a pid namespace of its own it says what that costs, or that nothing can be seen',
    options,
    async () => {
      const { version } = await findBpftrace({ env: process.env });
      const namespaced = Number(version.split('.')[1]) >= 23;
      const { report, exitCode, reasonOf } = await check(inOwnPidNamespace);
      const daemon = await startInOwnPidNamespace();
      const { body, status } = await eventually('it is told', async () => {
        const answer = await daemon.ready();
        // Nothing else: it does not start any more.
        const told = codesOf(answer.body).join() === 'own_pid_namespace';
        return told && answer.status === (namespaced ? 503 : 200) ? answer : undefined;
      });
      assert.deepEqual(codesOf(body), ['own_pid_namespace']);
      if (namespaced) {
        assert.deepEqual([report.verdict, exitCode, status], ['blind', 2, 503]);
        assert.equal(reasonOf('waits'), 'own_pid_namespace');
      } else {
        assert.deepEqual([report.verdict, exitCode, status], ['partial', 1, 200]);
        assert.deepEqual(codesOf(report), ['own_pid_namespace']);
        assert.deepEqual(
          [reasonOf('waits'), reasonOf('reads'), reasonOf('blocks')],
          Array(3).fill(undefined),
        );
      }
      await daemon.stop();
    },
  );
});
