import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Dialect } from '../../src/bpftrace/decode/dialect.js';
import { canaryProgram, learnDialect, runCanary } from '../../src/bpftrace/dialect.js';
import { findBpftrace } from '../../src/bpftrace/find.js';
import { fakeTracer, temporaryFolder } from './fake.js';
import { golden, goldenLines, type Version, versions } from './goldens.js';

const dialects: Record<Version, Omit<Dialect, 'version'>> = {
  '0.17.0': {
    spacesInKeys: true,
    parenthesesInKeys: true,
    keyEscapes: 'once',
    highBytes: 'sign_extended',
    bigIntegers: 'number',
    wideHist: 'capped',
    mapFullFlag: ['-k'],
    mapKeysEnv: 'BPFTRACE_MAP_KEYS_MAX',
    attachedCount: 'wanted',
  },
  '0.23.2': {
    spacesInKeys: true,
    parenthesesInKeys: true,
    keyEscapes: 'twice',
    highBytes: 'sign_extended',
    bigIntegers: 'number',
    wideHist: 'exact',
    mapFullFlag: [],
    mapKeysEnv: 'BPFTRACE_MAX_MAP_KEYS',
    attachedCount: 'wanted',
  },
  '0.27.0': {
    spacesInKeys: false,
    parenthesesInKeys: false,
    keyEscapes: 'once',
    highBytes: 'sign_extended',
    bigIntegers: 'string',
    wideHist: 'exact',
    mapFullFlag: [],
    mapKeysEnv: 'BPFTRACE_MAX_MAP_KEYS',
    attachedCount: 'attached',
  },
};

test('the dialect of each recorded version is learned from its canary', () => {
  for (const version of versions) {
    assert.equal(golden(version, 'canary.bt'), canaryProgram, 'the canary changed: record the goldens again');
    assert.deepEqual(learnDialect(goldenLines(version, 'canary.ndjson'), version), {
      version,
      ...dialects[version],
    });
  }
});

test('a canary that fired often is understood, though 0.27 then prints that count in hexadecimal', () => {
  const lines = golden('0.27.0', 'canary.ndjson')
    .replace(/(2199023255551, "count": )1/, '$11d')
    .split('\n');
  assert.match(lines.join('\n'), /"count": 1d/);
  assert.deepEqual(learnDialect(lines, '0.27.0'), { version: '0.27.0', ...dialects['0.27.0'] });
});

test('where char is unsigned (arm64), bytes over 0x7f come as they are', () => {
  const lines = golden('0.17.0', 'canary.ndjson').replace('\\uffffffc3\\uffffffa9', '\u00e9').split('\n');
  assert.equal(learnDialect(lines, '').highBytes, 'exact');
});

test('an answer that no known version gives is an error that names it', () => {
  const lines = golden('0.23.2', 'canary.ndjson');
  const learnWith = (from: string | RegExp, to: string) => () =>
    learnDialect(lines.replace(from, to).split('\n'), '');
  const failed = (message: RegExp) => ({ code: 'canary_failed', message });
  assert.throws(learnWith('"1,-2"', '"1;-2"'), failed(/integer keys: "1;-2"$/));
  assert.throws(learnWith(/.*@space.*/, ''), failed(/spaces in keys: ""$/));
  assert.throws(learnWith('"a b"', '"a+b"'), failed(/spaces in keys: "a\+b"$/));
  assert.throws(learnWith('1099511627776', '1'), failed(/hist of 2\^40: "1"$/));
  assert.throws(learnWith('"8": 1, ', ''), failed(/keys of a full map: "8"$/));
  assert.throws(learnWith('"a b"', '"constructor"'), failed(/spaces in keys: "constructor"$/));
});

test('the canary is run with the program on standard input and without our NOTIFY_SOCKET', async (context) => {
  const folder = temporaryFolder(context);
  const output = join(folder, 'output');
  writeFileSync(output, golden('0.27.0', 'canary.ndjson'));
  const path = fakeTracer(
    context,
    '0.27.0',
    `[ "$*" = "-f json -" ] || exit 3
[ -z "$NOTIFY_SOCKET" ] || exit 4
[ "$BPFTRACE_MAP_KEYS_MAX/$BPFTRACE_MAX_MAP_KEYS" = 7/9 ] || exit 5
cat > ${folder}/program
cat ${output}`,
  );
  const { startMilliseconds, ...dialect } = await runCanary([path], {
    env: { ...process.env, NOTIFY_SOCKET: '/run/systemd/notify' },
  });
  assert.ok(startMilliseconds !== undefined && startMilliseconds > 0);
  assert.deepEqual(dialect, { version: '0.27.0', ...dialects['0.27.0'] });
  assert.equal(readFileSync(join(folder, 'program'), 'utf8'), canaryProgram);
});

test('what bpftrace said is in the error', async (context) => {
  const root = fakeTracer(
    context,
    '0.23.2',
    'cat >&2 <<E\nERROR: bpftrace currently only supports running as the root user.\nE\nexit 1',
  );
  await assert.rejects(runCanary([root]), {
    code: 'not_root',
    message: /^bpftrace 0\.23\.2: ERROR: .*root user/,
  });
  const broken = fakeTracer(
    context,
    '0.17.0',
    `echo "ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace." >&2
echo 'ERROR: failed to create  map: Operation not permitted' >&2
exit 1`,
  );
  await assert.rejects(runCanary([broken]), {
    code: 'canary_failed',
    message: 'bpftrace 0.17.0: ERROR: failed to create  map: Operation not permitted',
  });
});

test('a bpftrace that hangs is killed', async (context) => {
  const path = fakeTracer(context, '0.17.0', 'exec sleep 600');
  await assert.rejects(runCanary([path], { timeoutMs: 200 }), {
    code: 'canary_failed',
    message: 'bpftrace 0.17.0 did not end in 200 ms',
  });
});

test('0.14, of Ubuntu 22.04, is named unsupported and not run', async (context) => {
  const path = fakeTracer(context, '0.14.0', 'exec sleep 600');
  await assert.rejects(runCanary([path]), { code: 'bpftrace_unsupported', message: /0\.14\.0/ });
});

/** Why the bpftrace of this host cannot be asked, if so. */
const obstacle = async (): Promise<string | false> => {
  if (process.getuid?.() !== 0) return 'needs root';
  return findBpftrace({ env: process.env }).then(
    () => false,
    (error: Error) => error.message,
  );
};

test('the bpftrace of this host speaks a dialect we know', async (context) => {
  const reason = await obstacle();
  if (reason !== false) return context.skip(reason);
  const { path, version } = await findBpftrace({ env: process.env });
  const { startMilliseconds, ...dialect } = await runCanary([path]);
  context.diagnostic(JSON.stringify({ ...dialect, startMilliseconds }));
  const known = versions.find((one) => one === version);
  if (known === undefined) assert.equal(dialect.version, version);
  else assert.deepEqual(dialect, { version, ...dialects[known] });
});
