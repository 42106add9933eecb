/** The commands as a person types them, on this host. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { execa } from 'execa';
import { assertTimely, upToThreeTimes } from '../support/timing.js';
import { killLeftovers, track } from './support/children.js';
import { childrenOf, lives, mainFile, packageRoot, runCli } from './support/daemon.js';
import { lacking } from './support/host.js';
import { patience } from './support/patience.js';

const skip = lacking('root', 'tracing', 'bpftrace');

after(killLeftovers);

/** Retries are counted where the tracepoint has this field, from Linux 6.14 on. */
const seesRetries = (): boolean => {
  try {
    const events = '/sys/kernel/tracing/events/mmap_lock';
    return readFileSync(`${events}/mmap_lock_start_locking/format`, 'utf8').includes(' memcg_id;');
  } catch {
    return false;
  }
};

interface Report {
  readonly verdict: string;
  readonly kernel: { readonly release: string; readonly kprobes: boolean };
  readonly lock_paths: readonly { file: string; path: string; evidence: string }[];
  readonly observables: readonly {
    what: string;
    observed: boolean;
    source?: string;
    reason?: { code: string };
  }[];
  readonly fragments: readonly {
    fragment: string;
    chosen: boolean;
    reasons: { code: string; detail: string }[];
  }[];
  readonly inspect: { readonly available: boolean; readonly code?: string };
}

const checked = async (
  args: readonly string[],
): Promise<{ exitCode: number | undefined; report: Report }> => {
  const { exitCode, stdout } = await runCli(['check', '--json', ...args]);
  return { exitCode, report: JSON.parse(stdout) as Report };
};

// Each is a process of its own, and most of the time one of the two waits.
describe('one beside another', { concurrency: 2 }, () => {
  test('check: all that this kernel lets be seen, and the same in words', { skip }, async () => {
    const { exitCode, report } = await checked([]);
    // What no kernel of this sort has, or no fragment provides, is not missing.
    const missing = report.observables
      .filter(
        ({ reason }) =>
          reason !== undefined &&
          !['nothing_to_observe', 'no_fragment', 'switched_off', 'inspect_only'].includes(reason.code),
      )
      .map(({ what }) => what);
    assert.deepEqual(
      missing.filter((what) => !['retries', 'vma_waits'].includes(what)),
      [],
    );
    assert.ok(!missing.includes('retries') || !seesRetries());
    const full = missing.length === 0;
    assert.equal(report.verdict, full ? 'full' : 'partial');
    assert.equal(exitCode, full ? 0 : 1);
    const words = await runCli(['check']);
    assert.ok(report.lock_paths.some(({ file }) => file === 'maps'));
    // The evidence names counts, and each check has its own.
    for (const { file, path } of report.lock_paths)
      assert.ok(words.stdout.includes(`  ${file.padEnd(13)} ${path.padEnd(12)} `), file);
    assert.equal(words.exitCode, exitCode);
    assert.match(words.stdout, full ? /^Full: / : /^Partial: /);
    assert.match(words.stdout, /yes waits .*\n +by contention-tracepoint/);
    assert.match(words.stdout, /yes reads .*\n +by reads-(?:fentry|kprobe|tracepoint)/);
    assert.match(
      words.stdout,
      new RegExp(report.kernel.kprobes ? 'kprobes: available' : 'kprobes: not available'),
    );
    assert.match(words.stdout, /no {2}holds .*\n +inspect_only/);
    assert.ok(
      words.stdout.includes(
        `\nInspect mode (a second tracer, for seconds): ${report.inspect.available ? 'available, not tried\n' : `not available: ${report.inspect.code}: `}`,
      ),
    );
  });

  test('check: partial, exit 1, where the kernel lacks what a fragment needs', { skip }, async () => {
    const fragments = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
    try {
      await cp(path.join(packageRoot, 'bpf'), fragments, { recursive: true });
      const fragment = (name: string, probe: string) =>
        writeFile(
          path.join(fragments, `${name}.bt`),
          `// ${name}.bt  Needs what no kernel has.\n//@ mode watch\n//@ provides holds\n//@ cost none\n${probe}\n{\n  @x = count();\n}\n`,
        );
      await fragment('future', 'tracepoint:mmap_lock:no_such_event');
      await fragment('function', 'kprobe:no_such_function_of_any_kernel');
      const { exitCode, report } = await checked(['--probes.directory', fragments]);
      assert.equal(exitCode, 1);
      assert.equal(report.verdict, 'partial');
      const reasonOf = (name: string) =>
        report.fragments.find(({ fragment }) => fragment === name)?.reasons[0]?.code;
      assert.equal(reasonOf('future'), 'kernel_lacks_tracepoint');
      assert.equal(
        reasonOf('function'),
        report.kernel.kprobes ? 'kernel_lacks_symbol' : 'kernel_lacks_kprobes',
      );
    } finally {
      await rm(fragments, { recursive: true });
    }
  });

  test('check tries the program of run: what is refused costs its source alone, with the reason', {
    skip,
  }, async () => {
    const fragments = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
    try {
      await cp(path.join(packageRoot, 'bpf'), fragments, { recursive: true });
      const source = await readFile(path.join(fragments, 'sources/contention-tracepoint.bt'), 'utf8');
      await writeFile(
        path.join(fragments, 'contention-first.bt'),
        source
          .replace('//@ rank 10', '//@ rank 1')
          .replace('$slept = (uint64)1;', '$slept = no_such_function(1);'),
      );
      const { exitCode, report } = await checked(['--probes.directory', fragments]);
      const refused = report.fragments.find(({ fragment }) => fragment === 'contention-first');
      assert.equal(refused?.chosen, false);
      assert.equal(refused?.reasons[0]?.code, 'rejected_by_bpftrace');
      assert.match(refused?.reasons[0]?.detail ?? '', /no_such_function/);
      const waits = report.observables.find(({ what }) => what === 'waits');
      assert.deepEqual([waits?.observed, waits?.source], [true, 'contention-tracepoint']);
      assert.notEqual(exitCode, 2);
    } finally {
      await rm(fragments, { recursive: true });
    }
  });

  test('check: blind, exit 2, without bpftrace or without leave to use tracepoints', { skip }, async () => {
    const missing = await checked(['--bpftrace.path=/nonexistent/bpftrace']);
    assert.equal(missing.exitCode, 2);
    assert.equal(missing.report.verdict, 'blind');
    const forbidden = await checked(['--probes.allow=kprobe']);
    assert.equal(forbidden.exitCode, 2);
    assert.equal(forbidden.report.observables[0]?.reason?.code, 'kind_not_allowed');
  });

  test('dump-program prints what runs here, whole and by fragment', { skip }, async () => {
    const whole = await runCli(['dump-program']);
    assert.equal(whole.exitCode, 0);
    assert.match(whole.stdout, /\ninterval:s:1\n/);
    // It runs as it is: bpftrace takes it and ticks.
    const run = execa('bpftrace', ['-f', 'json', '-'], {
      input: whole.stdout,
      reject: false,
      timeout: patience(15),
    });
    let ticks = 0;
    for await (const line of run.iterable()) {
      if (!line.includes('"tick ')) continue;
      ticks += 1;
      run.kill('SIGTERM');
    }
    assert.ok(ticks >= 1);
    const fragment = await runCli(['dump-program', '--fragment', 'waits']);
    assert.equal(fragment.exitCode, 0);
    assert.match(
      fragment.stdout,
      /^\/\/ waits\.bt is no script of its own, for it adds to contention-\w+\.bt/,
    );
    assert.match(fragment.stdout, /\ntracepoint:lock:contention_begin\n[\s\S]*@wait_ns\[/);
    const additions = await runCli(['dump-program', '--fragment', 'blocks']);
    assert.equal(additions.exitCode, 0);
    assert.match(
      additions.stdout,
      /^\/\/ blocks\.bt is no script of its own, for it adds to waits\.bt, contention-/,
    );
    assert.match(
      additions.stdout,
      /\ntracepoint:lock:contention_end\n[\s\S]*@unblocked\[[\s\S]*\ninterval:s:1\n/,
    );
    const inspect = await runCli(['dump-program', '--inspect']);
    if (inspect.exitCode === 0) assert.match(inspect.stdout, /\ntracepoint:mmap_lock:mmap_lock_released\n/);
    else assert.match(inspect.stderr, /^mmaplockd: inspect_unavailable: /);
    const unknown = await runCli(['dump-program', '--fragment', 'wait']);
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /there is no fragment "wait"; there are: .*waits/);
  });

  test('demo ends early and in order at a signal, and leaves none of its programs behind', {
    skip,
  }, async () => {
    const demo = execa(process.execPath, [mainFile, 'demo', '--seconds', '60', '--allow-second'], {
      reject: false,
    });
    track(demo);
    let programs: number[] = [];
    for await (const line of demo.iterable()) {
      if (!/^ +2 s /.test(line)) continue;
      programs = await childrenOf(demo.pid as number);
      demo.kill('SIGINT');
    }
    const { exitCode, stdout } = await demo;
    assert.equal(exitCode, 130);
    assert.match(stdout, /^The reader of maps .* made [\d,]+ reads/m);
    assert.equal(programs.length, 3, 'the tracer, the writers and a reader');
    for (const pid of programs) assert.equal(await lives(pid), false);
  });

  test('--version and --help', async () => {
    assert.match((await runCli(['--version'])).stdout, /^mmaplockd \d+\.\d+\.\d+\n?$/);
    const { exitCode, stdout } = await runCli(['--help']);
    assert.equal(exitCode, 0);
    for (const command of ['run', 'check', 'dump-program', 'demo'])
      assert.match(stdout, new RegExp(`\\b${command}\\b`));
  });
});

test(
  'demo shows contention and says in one sentence each who waited and which reader blocked',
  { skip },
  (t) =>
    upToThreeTimes(t, 'cli: the reader of smaps of the demo blocks', async () => {
      const { exitCode, stdout, stderr } = await runCli(['demo', '--seconds', '6', '--allow-second']);
      assert.equal(exitCode, 0, stderr);
      assert.match(
        stdout,
        /^writers \(pid \d+\) waited [\d,]+ times for its own mmap_lock, [\d.]+ thread-seconds in all/m,
      );
      assert.match(stdout, /^ +4 s( +[\d,.-]+){10}$/m, 'the table');
      const sentence =
        /^The reader of maps \(.*?\) made ([\d,]+) reads?\b.*; the reader of smaps \(.*?\) made ([\d,]+) reads?\b.*$/m;
      assert.match(stdout, sentence);
      const said = sentence.exec(stdout)?.[0] ?? '';
      t.diagnostic(said);
      // Whether a reader of maps ever retries is left to chance; so is, in the few seconds that it has, whether one of smaps
      // blocks.
      assertTimely(
        /; the reader of smaps .* and blocked writers (once|[\d,]+ times), for [\w. ]+ thread-seconds in all\.$/.test(
          said,
        ),
        said,
      );
    }),
);
