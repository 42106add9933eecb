import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { readTracerCost } from '../../src/cost/tracer.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplock-cost-'));
after(() => rmSync(root, { recursive: true }));

const stat =
  '77 (bpf) trace) S 1 77 77 0 -1 4194560 9839 0 45 0 150 27 9 9 20 0 1 0 149307 230469632 22594 18446744073709551615 1\n';
const map = (id: number, bytes: number): string =>
  `pos:\t0\nflags:\t02000002\nmap_type:\t5\nkey_size:\t8\nmemlock:\t${bytes}\nmap_id:\t${id}\nfrozen:\t0\n`;
const program = (id: number, time: number, count: number, misses: number): string =>
  `pos:\t0\nprog_type:\t5\nprog_jited:\t1\nmemlock:\t4096\nprog_id:\t${id}\nrun_time_ns:\t${time}\nrun_cnt:\t${count}\nrecursion_misses:\t${misses}\n`;

function write(pid: number, status: string, fdinfo: Record<string, string>): void {
  const directory = join(root, String(pid));
  mkdirSync(join(directory, 'fdinfo'), { recursive: true });
  writeFileSync(join(directory, 'stat'), stat);
  writeFileSync(join(directory, 'status'), status);
  for (const [descriptor, text] of Object.entries(fdinfo))
    writeFileSync(join(directory, 'fdinfo', descriptor), text);
}

test('maps and programs are summed from the descriptors, each object once', () => {
  write(77, 'Name:\tbpftrace\nVmHWM:\t  999 kB\nVmRSS:\t   90376 kB\nRssAnon:\t 1 kB\n', {
    '0': 'pos:\t0\nflags:\t0100000\nmnt_id:\t24\n',
    '3': map(1, 4096),
    '4': map(2, 65_536),
    '5': map(2, 65_536),
    '6': 'pos:\t0\ntfd:        6 events:       19 data:     555eab53db10  pos:0 ino:40e sdev:10\n',
    '10': program(9, 1500, 3, 0),
    '11': program(8, 123_456_789_012, 4_000_000_000, 7),
    '12': program(8, 123_456_789_012, 4_000_000_000, 7),
    '13': 'link_type:\ttracing\nlink_id:\t3\nprog_tag:\t5736f2a0499462c6\nprog_id:\t44\n',
  });
  assert.deepEqual(readTracerCost(77, root), {
    cpuSeconds: 1.77,
    residentBytes: 90_376 * 1024,
    mapBytes: 4096 + 65_536,
    programs: [
      { programId: 8, runNanoseconds: 123_456_789_012, runs: 4_000_000_000, recursionMisses: 7 },
      { programId: 9, runNanoseconds: 1500, runs: 3, recursionMisses: 0 },
    ],
  });
});

test('a kernel without the newer counters has zeros', () => {
  write(78, 'VmRSS:\t1 kB\n', { '3': 'prog_type:\t5\nprog_id:\t4\n' });
  assert.deepEqual(readTracerCost(78, root)?.programs, [
    { programId: 4, runNanoseconds: 0, runs: 0, recursionMisses: 0 },
  ]);
});

test('a process that is gone or a zombie is undefined', () => {
  assert.equal(readTracerCost(79, root), undefined);
  write(80, 'Name:\tbpftrace\nState:\tZ (zombie)\n', {});
  assert.equal(readTracerCost(80, root), undefined);
});

const works = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const cannot =
  process.getuid?.() !== 0
    ? 'needs root'
    : (['bpftrace', 'bpftool'].map((tool) => (works(tool) ? '' : `${tool} is not installed`)).find(Boolean) ??
      false);

test('a real bpftrace is read as bpftool and ps see it', { skip: cannot }, async (context) => {
  const child = spawn('bpftrace', ['-e', 'interval:ms:100 { @a[tid] = count(); printf("tick\\n"); }'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  try {
    for await (const line of createInterface({ input: child.stdout })) if (line === 'tick') break;
    const cost = readTracerCost(child.pid!);
    assert.ok(cost !== undefined);
    context.diagnostic(JSON.stringify(cost));
    assert.ok(cost.cpuSeconds > 0 && cost.cpuSeconds < 30, `${cost.cpuSeconds} s`);

    const resident =
      Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) * 1024;
    const difference = Math.abs(cost.residentBytes - resident);
    assert.ok(difference < resident / 20, `${cost.residentBytes}, ps: ${resident}`);

    const show = (kind: string, id: string): unknown =>
      JSON.parse(execFileSync('bpftool', ['-j', kind, 'show', 'id', id], { encoding: 'utf8' }));
    const mapIds = new Set(idsOf(child.pid!, 'map_id'));
    assert.ok(mapIds.size >= 2, 'the hash map and the ring that carries printf');
    const bytes = Array.from(mapIds, (id) => (show('map', id) as { bytes_memlock: number }).bytes_memlock);
    assert.equal(
      cost.mapBytes,
      bytes.reduce((sum, size) => sum + size, 0),
    );
    assert.equal(cost.programs.length, 1);
    const program = show('prog', String(cost.programs[0]!.programId)) as { type: string };
    assert.equal(program.type, 'perf_event', 'an interval is a perf event');
  } finally {
    child.kill('SIGINT');
    await exited;
  }
  assert.equal(readTracerCost(child.pid!), undefined);
});

/** The ids of the BPF objects a process holds, by grep. */
const idsOf = (pid: number, field: string): string[] =>
  execFileSync('sh', ['-c', `grep -h '^${field}:' /proc/${pid}/fdinfo/* | cut -f 2`], { encoding: 'utf8' })
    .split('\n')
    .filter((id) => id !== '');
