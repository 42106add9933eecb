/** How this kernel serves the proc files: what its BTF and symbols say, held against what it does. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { execa } from 'execa';
import { runCanary } from '../../src/bpftrace/dialect.js';
import { findBpftrace } from '../../src/bpftrace/find.js';
import { systemClock } from '../../src/clock.js';
import { loadConfig } from '../../src/config/load.js';
import { learntNames } from '../../src/probes/findings.js';
import { behaviourOf, contradicted, settleLockPaths } from '../../src/probes/lock-path/behaviour.js';
import type { LockPathEvidence } from '../../src/probes/lock-path/evidence.js';
import { surveyHost } from '../../src/survey/survey.js';
import { type LockPath, lockPaths } from '../../src/vocabulary.js';
import { SelfCheck } from '../../src/watch/lock-path-check.js';
import { assertTimely, upToThreeTimes } from '../support/timing.js';
import { killLeftovers } from './support/children.js';
import { childrenOf, lives, mainFile, startDaemon } from './support/daemon.js';
import { lacking } from './support/host.js';
import { eventually, patience } from './support/patience.js';

const skip = lacking('root', 'tracing', 'bpftrace');
const options = { skip, timeout: patience(120) };
after(killLeftovers);

const survey = await surveyHost(loadConfig({ flags: {} }));

/** As the daemon does it. */
const tryOut = async () => {
  const bpftrace = await findBpftrace({ env: process.env });
  const dialect = await runCanary([bpftrace.path]);
  const startedAt = systemClock.monotonic();
  const selfCheck = new SelfCheck({ clock: systemClock, timeoutSeconds: 60 });
  assert.equal(await selfCheck.step(survey, { bpftrace, dialect }), true);
  const milliseconds = Math.round(systemClock.monotonic() - startedAt);
  assert.equal(await selfCheck.step(survey, { bpftrace, dialect }), false, 'once is enough');
  return { findings: selfCheck.findings, milliseconds };
};

/** As measured by hand on these kernels. */
const measured: Readonly<Record<string, Readonly<Record<string, LockPath>>>> = {
  '6.18': {
    maps: 'per_vma_lock',
    smaps: 'mmap_lock',
    smaps_rollup: 'mmap_lock',
    numa_maps: 'mmap_lock',
    pagemap: 'mmap_lock',
  },
};

test(
  'behaviour and evidence agree on every file, and behaviour wins where evidence is wrong',
  options,
  async (t) => {
    const { findings, milliseconds } = await tryOut();
    const { reads: seen } = findings;
    t.diagnostic(JSON.stringify({ milliseconds, seen }));
    const behaviour = behaviourOf(seen);
    assert.ok(behaviour.has('maps') && behaviour.has('pagemap'));
    const settled = settleLockPaths(survey.lockPaths, seen);
    assert.deepEqual(contradicted(survey.lockPaths, settled), []);
    for (const { file, by } of settled) assert.equal(by, behaviour.has(file) ? 'both' : 'evidence', file);
    const expected = measured[/^\d+\.\d+/.exec(release())?.[0] ?? ''];
    if (expected !== undefined) assert.deepEqual(Object.fromEntries(behaviour), expected);

    const wrong = survey.lockPaths.map((evidence): LockPathEvidence => {
      const other = lockPaths.find((candidate) => candidate !== evidence.path) as LockPath;
      return behaviour.has(evidence.file) ? { ...evidence, path: other } : evidence;
    });
    const corrected = settleLockPaths(wrong, seen);
    assert.deepEqual(
      corrected.map(({ file, path }) => [file, path]),
      survey.lockPaths.map(({ file, path }) => [file, path]),
    );
    assert.deepEqual(
      contradicted(wrong, corrected).map(({ file, by }) => [file, by]),
      [...behaviour.keys()].map((file) => [file, 'behaviour']),
    );
  },
);

test(
  'what it learns of functions, registers, ids and counts is what else is known of them',
  options,
  async () => {
    const { findings } = await tryOut();
    const { addresses, registers, processIds, miscounting, untried } = findings;
    assert.deepEqual(
      { registers, processIds, miscounting: [...miscounting], untried },
      { registers: 'right', processIds: 'global', miscounting: [], untried: undefined },
    );
    const hidden = (await readFile('/proc/sys/kernel/kptr_restrict', 'utf8')).trim() === '2';
    // Each function that the symbol table names once is the one that the file was seen to be served by.
    if (!hidden) assert.ok(survey.addresses.size >= 5, 'the symbol table shows them');
    for (const [name, address] of survey.addresses)
      assert.equal(addresses.get(name), address, `${name} of ${learntNames}`);
  },
);

type Served = readonly { readonly file: string; readonly path: string; readonly by: string }[];

const servedBy = (served: Served, file: string): string | undefined =>
  served.find((candidate) => candidate.file === file)?.by;

/** Seconds from the start of a healthy daemon until it is ready. */
let healthyStart: number;

test('the daemon tries it out at its start, once, and shows it', options, async () => {
  const startedAt = Date.now();
  const daemon = await startDaemon({ args: ['--log.level=debug'] });
  const metrics = await daemon.ready(60);
  healthyStart = (Date.now() - startedAt) / 1000;
  const { body } = await daemon.get<{ lock_paths: Served }>('/api/v1/status');
  assert.equal(servedBy(body.lock_paths, 'maps'), 'both');
  assert.equal(servedBy(body.lock_paths, 'clear_refs'), 'evidence');
  for (const { file, path } of body.lock_paths)
    assert.equal(metrics.sum('mmaplock_proc_file_lock_path_info', { file, path }), 1, file);
  assert.equal(daemon.log.filter(({ msg }) => msg?.includes('tried out')).length, 1);
  assert.deepEqual(
    daemon.log.filter(({ level }) => level === 'warn' || level === 'error').map(({ msg }) => msg),
    [],
  );
  process.kill(await daemon.tracerPid(), 'SIGKILL');
  await daemon.until('started again', (now) => now.sum('mmaplock_tracer_restarts_total') === 1);
  await daemon.ready(60);
  assert.equal(daemon.log.filter(({ msg }) => msg?.includes('tried out')).length, 1);
  assert.equal(await daemon.stop(), 0);
});

// Each has a daemon or a command of its own, and most of the time one of the two waits.
describe('one beside another', { concurrency: 2 }, () => {
  test('check shows what it rests on', options, async () => {
    const { stdout } = await execa(process.execPath, [mainFile, 'check', '--json'], { reject: false });
    const report = JSON.parse(stdout) as {
      lock_paths: Served;
      fragments: { fragment: string; chosen: boolean; reasons: { code: string }[] }[];
    };
    assert.equal(servedBy(report.lock_paths, 'maps'), 'both');
    const fragment = report.fragments.find((candidate) => candidate.fragment === 'lock-path');
    assert.equal(fragment?.chosen, false);
    assert.deepEqual(
      fragment?.reasons.map(({ code }) => code),
      ['start_only'],
    );
  });

  test(
    'switched off, or where the daemon does not know its own id, evidence alone tells',
    options,
    async () => {
      const command = [process.execPath, mainFile, 'check', '--json'];
      const ways = {
        disabled_by_config: [...command, '--probes.disable=lock-path'],
        unknown_host_fact: ['unshare', '--pid', '--fork', '--mount-proc', ...command],
      };
      for (const [code, [file = '', ...args]] of Object.entries(ways)) {
        const { stdout } = await execa(file, args, { reject: false });
        const report = JSON.parse(stdout) as {
          lock_paths: Served;
          fragments: { fragment: string; reasons: { code: string }[] }[];
        };
        assert.equal(servedBy(report.lock_paths, 'maps'), 'evidence', code);
        const reasons = report.fragments.find(({ fragment }) => fragment === 'lock-path')?.reasons;
        assert.deepEqual(
          reasons?.map((reason) => reason.code),
          [code],
        );
      }
    },
  );

  /** A bpftrace that does otherwise with the program that tries it out. */
  const bpftraceWith = async (instead: string): Promise<string> => {
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-')), 'bpftrace');
    const script = `#!/bin/sh
[ "$1" = --version ] && exec bpftrace --version
program=$(cat)
case $program in *@lock_path_takes*) ${instead} ;; esac
exec bpftrace "$@" <<.
$program
.
`;
    await writeFile(file, script);
    await chmod(file, 0o755);
    return file;
  };

  for (const [what, instead] of [
    ['refuses it', "echo 'stdin:3:1-9: ERROR: no' >&2; exit 1"],
    ['hangs', 'exec sleep 600'],
  ] as const)
    test(
      `a bpftrace that ${what}: the daemon goes on with the evidence alone, and says so once`,
      options,
      async () => {
        const bpftrace = await bpftraceWith(instead);
        try {
          // The one that hangs is given up after that time, and those that follow must start in it.
          const timeout = `--bpftrace.start-timeout-seconds=${Math.max(5, 2 * healthyStart).toFixed(1)}`;
          const args = ['--bpftrace.path', bpftrace, timeout];
          const daemon = await startDaemon({ args });
          await daemon.ready(60);
          const { body } = await daemon.get<{ lock_paths: Served }>('/api/v1/status');
          assert.equal(servedBy(body.lock_paths, 'maps'), 'evidence');
          const told = daemon.log.filter(({ msg }) => msg?.includes('could not be tried out'));
          assert.equal(told.length, 1);
          assert.equal(await daemon.stop(), 0);
        } finally {
          await rm(path.dirname(bpftrace), { recursive: true });
        }
      },
    );

  test('ended meanwhile, the daemon goes at once and leaves no process behind', options, async (t) => {
    const bpftrace = await bpftraceWith('exec sleep 600');
    try {
      await upToThreeTimes(t, 'lock-path: a daemon that is ended while it tries it out', async () => {
        const daemon = await startDaemon({ args: ['--bpftrace.path', bpftrace] });
        const hanging = await eventually('it is tried out', async () => {
          for (const pid of await childrenOf(daemon.pid))
            if ((await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')) === 'sleep\n') return pid;
          return undefined;
        });
        const before = Date.now();
        assert.equal(await daemon.stop(), 0);
        const took = Date.now() - before;
        assert.equal(await lives(hanging), false);
        // One that were waited for would be killed after 5 s.
        assertTimely(took < 3000, `it took ${took} ms`);
      });
    } finally {
      await rm(path.dirname(bpftrace), { recursive: true });
    }
  });
});
