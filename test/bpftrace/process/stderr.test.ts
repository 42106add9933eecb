import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeStderr, StderrTail } from '../../../src/bpftrace/process/stderr.js';
import { goldenLines, hasGolden, type Version, versions } from '../goldens.js';

/** What matters of a recorded standard error: [severity, code, source line] of each line that is not benign. */
const judged = (version: Version, name: string): unknown[] =>
  goldenLines(version, `${name}.stderr`)
    .map(judgeStderr)
    .filter(({ severity }) => severity !== 'benign')
    .map(({ severity, code, sourceLine }) => [severity, code, sourceLine]);

const rejectedAt = (line: number) => ['error', 'program_rejected', line];
const incomplete = (severity: string) => [severity, 'attach_incomplete', undefined];
const doubtful = ['warning', undefined, 1];

/** The program of each case is in golden/record.mjs. */
const expected: Record<string, Partial<Record<Version, unknown[]>>> = {
  'map-full': { '0.17.0': [], '0.23.2': [], '0.27.0': [] },
  'unknown-function': { '0.17.0': [rejectedAt(3)], '0.23.2': [rejectedAt(3)], '0.27.0': [rejectedAt(3)] },
  'syntax-error': {
    '0.17.0': [rejectedAt(2)],
    '0.23.2': [rejectedAt(2)],
    '0.27.0': [rejectedAt(2), rejectedAt(2)],
  },
  'unknown-field': {
    '0.17.0': [rejectedAt(4)],
    '0.23.2': [rejectedAt(4)],
    '0.27.0': [rejectedAt(4), rejectedAt(4)],
  },
  'verifier-refusal': {
    '0.17.0': [['error', 'program_rejected', undefined]],
    '0.23.2': [
      ['error', 'program_rejected', undefined],
      ['error', 'program_rejected', undefined],
    ],
    '0.27.0': [['error', 'program_rejected', undefined]],
  },
  'missing-tracepoint': { '0.17.0': [rejectedAt(1)], '0.23.2': [rejectedAt(1)], '0.27.0': [rejectedAt(1)] },
  'missing-one-of-two': {
    '0.17.0': [['warning', 'attach_incomplete', 1], incomplete('warning')],
    '0.23.2': [['warning', 'attach_incomplete', 1], incomplete('warning')],
    '0.27.0': [rejectedAt(1)],
  },
  'attach-failure': {
    '0.17.0': [doubtful, incomplete('warning'), incomplete('error')],
    '0.23.2': [doubtful, incomplete('warning'), incomplete('error')],
    '0.27.0': [rejectedAt(1), doubtful],
  },
  'attach-failure-of-two': {
    '0.17.0': [doubtful, doubtful, ...Array(6).fill(incomplete('warning'))],
    '0.23.2': [doubtful, doubtful, ...Array(6).fill(incomplete('warning'))],
    '0.27.0': [rejectedAt(1), rejectedAt(1), doubtful, doubtful],
  },
  'no-fentry': { '0.17.0': [rejectedAt(1)], '0.23.2': [rejectedAt(1)], '0.27.0': [rejectedAt(1)] },
  'not-root': Object.fromEntries(versions.map((version) => [version, [['error', 'not_root', undefined]]])),
};

for (const [name, byVersion] of Object.entries(expected)) {
  test(`standard error of ${name}`, () => {
    for (const version of versions) {
      assert.equal(hasGolden(version, `${name}.stderr`), version in byVersion, `${version} was recorded`);
      if (version in byVersion) assert.deepEqual(judged(version, name), byVersion[version], version);
    }
  });
}

test('the RLIMIT_MEMLOCK message is harmless, though 0.17 calls it an error', () => {
  const [line] = goldenLines('0.17.0', 'unknown-function.stderr');
  assert.match(line!, /^ERROR: .*RLIMIT_MEMLOCK/);
  assert.deepEqual(judgeStderr(line!), { severity: 'benign' });
});

test('hand-written, after the sources: messages that no run here gives', () => {
  // a span of lines has no columns (src/location.cpp, 0.21+)
  assert.deepEqual(judgeStderr('stdin:12-14: ERROR: Addition overflow'), {
    severity: 'error',
    code: 'program_rejected',
    sourceLine: 12,
  });
  assert.deepEqual(judgeStderr('stdin:7:1-9: WARNING: No matches for kprobe nosuch. Skipping.'), {
    severity: 'warning',
    code: 'attach_incomplete',
    sourceLine: 7,
  });
  assert.deepEqual(judgeStderr('Lost 12 events'), { severity: 'warning' });
  assert.deepEqual(judgeStderr('WARNING: Total lost event count: 12'), { severity: 'warning' });
  assert.deepEqual(judgeStderr('ERROR: Missing CAP_BPF capability, please run bpftrace as the root user.'), {
    severity: 'error',
    code: 'not_root',
  });
  assert.deepEqual(judgeStderr('FATAL: Invalid probe type made it to attachpoint parser'), {
    severity: 'error',
    code: 'tracer_exited',
  });
  assert.deepEqual(judgeStderr('ERROR: something new'), { severity: 'error' });
  assert.deepEqual(judgeStderr('WARNING: something new'), { severity: 'warning' });
});

test('what 0.17 says of addresses computed from a field of args is harmless, with the lines it quotes', () => {
  const said = [
    'proc-opens.bt:57:36-37: WARNING: Addrspace mismatch',
    '  $op = *(uint64*)(*(uint64*)($fds + $fd * 8) + FILE_OP);',
    '                                   ~',
    'WARNING: Addrspace is not set',
  ];
  const tail = new StderrTail();
  assert.deepEqual(
    said.map((line) => tail.push(line)),
    [
      { severity: 'benign', sourceLine: 57 },
      { severity: 'benign' },
      { severity: 'benign' },
      { severity: 'benign' },
    ],
  );
  assert.equal(tail.firstError, undefined);
  // any other warning about the program still is one
  assert.deepEqual(judgeStderr('stdin:57:36-37: WARNING: Something mismatch'), {
    severity: 'warning',
    sourceLine: 57,
  });
});

test('the tail is bounded, yet keeps the first error', () => {
  const tail = new StderrTail();
  assert.equal(tail.reason, 'it said nothing');
  tail.push('first words');
  assert.equal(tail.reason, 'first words');
  tail.push('stdin:2:8-10: ERROR: syntax error');
  for (let i = 0; i < 100; i++) tail.push(`ERROR: consequence ${i} ${'x'.repeat(1000)}`);
  assert.equal(tail.lines.length, 20);
  assert.match(tail.lines[0]!, /^ERROR: consequence 80 /);
  assert.ok(tail.lines.every((line) => line.length <= 500));
  assert.equal(tail.firstError?.sourceLine, 2);
  assert.equal(tail.reason, 'stdin:2:8-10: ERROR: syntax error');
});
