/** The commands as a person types them, on this host. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { execa } from 'execa';
import { killLeftovers } from './support/children.js';
import { packageRoot, runCli } from './support/daemon.js';
import { lacking } from './support/host.js';

const skip = lacking('root', 'tracing', 'bpftrace');

afterEach(killLeftovers);

interface Report {
  readonly verdict: string;
  readonly kernel: { readonly release: string; readonly kprobes: boolean };
  readonly observables: readonly { what: string; observed: boolean; reason?: { code: string } }[];
  readonly fragments: readonly { fragment: string; chosen: boolean; reasons: { code: string }[] }[];
}

const checked = async (
  args: readonly string[],
): Promise<{ exitCode: number | undefined; report: Report }> => {
  const { exitCode, stdout } = await runCli(['check', '--json', ...args]);
  return { exitCode, report: JSON.parse(stdout) as Report };
};

test('check: full, exit 0, and the same in words', { skip }, async () => {
  const { exitCode, report } = await checked([]);
  assert.equal(exitCode, 0);
  assert.equal(report.verdict, 'full');
  assert.deepEqual(
    report.observables.filter(({ observed }) => observed).map(({ what }) => what),
    ['waits', 'operations'],
  );
  const words = await runCli(['check']);
  assert.equal(words.exitCode, 0);
  assert.match(words.stdout, /^Full: /);
  assert.match(words.stdout, /yes waits +by waits/);
  assert.match(
    words.stdout,
    new RegExp(report.kernel.kprobes ? 'kprobes: available' : 'kprobes: not available'),
  );
  assert.match(words.stdout, /no {2}reads +no_fragment/);
});

test('check: partial, exit 1, where the kernel lacks what a fragment needs', { skip }, async () => {
  const fragments = await mkdtemp(path.join(tmpdir(), 'mmaplockd-test-'));
  try {
    await cp(path.join(packageRoot, 'bpf'), fragments, { recursive: true });
    const fragment = (name: string, probe: string) =>
      writeFile(
        path.join(fragments, `${name}.bt`),
        `// ${name}.bt  Needs what no kernel has.\n//@ mode watch\n//@ provides reads\n//@ cost none\n${probe}\n{\n  @x = count();\n}\n`,
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
  const run = execa('bpftrace', ['-f', 'json', '-'], { input: whole.stdout, reject: false, timeout: 15_000 });
  let ticks = 0;
  for await (const line of run.iterable()) {
    if (!line.includes('"tick ')) continue;
    ticks += 1;
    run.kill('SIGTERM');
  }
  assert.ok(ticks >= 1);
  const fragment = await runCli(['dump-program', '--fragment', 'waits']);
  assert.equal(fragment.exitCode, 0);
  assert.match(fragment.stdout, /^\/\/ waits\.bt /);
  const unknown = await runCli(['dump-program', '--fragment', 'wait']);
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.stderr, /there is no fragment "wait"; there are: .*waits/);
});

test('demo shows contention and says in one sentence what was seen', { skip }, async () => {
  const { exitCode, stdout, stderr } = await runCli(['demo', '--seconds', '4', '--allow-second']);
  assert.equal(exitCode, 0, stderr);
  assert.match(
    stdout,
    /writers \(pid \d+\) waited \d+ times for its own mmap_lock, [\d.]+ thread-seconds in all/,
  );
});

test('--version and --help', async () => {
  assert.match((await runCli(['--version'])).stdout, /^mmaplockd \d+\.\d+\.\d+\n?$/);
  const { exitCode, stdout } = await runCli(['--help']);
  assert.equal(exitCode, 0);
  for (const command of ['run', 'check', 'dump-program', 'demo'])
    assert.match(stdout, new RegExp(`\\b${command}\\b`));
});
