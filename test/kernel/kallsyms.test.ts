import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { readSymbols } from '../../src/kernel/kallsyms.js';
import { scanFiles, timesAsLong } from '../support/ratio.js';
import { assertTimely, upToThreeTimes } from '../support/timing.js';

const directory = mkdtempSync(join(tmpdir(), 'mmaplock-kallsyms-'));
after(() => rmSync(directory, { recursive: true }));
const fixture = (text: string): string => {
  const path = join(directory, 'kallsyms');
  writeFileSync(path, text);
  return path;
};

const sample = [
  'ffffffff81000000 T _text',
  'ffffffff812b0010 t m_start',
  'ffffffff813c5550 t m_start',
  'ffffffff812b0020 t m_start.isra.0',
  'ffffffff812b0030 T x',
  'ffffffffc0201000 t show_it\t[some_module]',
  'ffffffffc0301000 t m_start\t[other]',
  'ffffffffc0301010 t bpf_prog_6deef7357e7b4530\t[bpf]',
].join('\n');

test('finds what is there, whole names only, with their addresses, in modules too', async () => {
  const wanted = new Set([
    '_text',
    'm_start',
    'm_star',
    'start',
    'x',
    'show_it',
    'absent',
    'bpf_prog_6deef7357e7b4530',
  ]);
  for (const text of [sample, `${sample}\n`]) {
    const found = await readSymbols(wanted, fixture(text));
    assert.deepEqual([...found.keys()].sort(), [
      '_text',
      'bpf_prog_6deef7357e7b4530',
      'm_start',
      'show_it',
      'x',
    ]);
    assert.deepEqual(found.get('m_start'), {
      addresses: [0xffffffff812b0010n, 0xffffffff813c5550n, 0xffffffffc0301000n],
      hidden: false,
    });
    assert.deepEqual(found.get('show_it')?.addresses, [0xffffffffc0201000n]);
    assert.deepEqual(found.get('bpf_prog_6deef7357e7b4530')?.addresses, [0xffffffffc0301010n]);
  }
});

test('says that addresses are hidden', async () => {
  const found = await readSymbols(
    new Set(['m_start']),
    fixture(sample.replaceAll(/^[0-9a-f]{16}/gm, '0'.repeat(16))),
  );
  assert.deepEqual(found.get('m_start'), { addresses: [0n, 0n, 0n], hidden: true });
});

test('names that straddle the chunks in which the file is read are found', async () => {
  const lines = Array.from(
    { length: 40_000 },
    (_, index) => `ffffffff${(index + 16).toString(16).padStart(8, '0')} t function_${index}`,
  );
  const wanted = new Set(lines.map((line) => line.slice(19)));
  const found = await readSymbols(wanted, fixture(`${lines.join('\n')}\n`));
  assert.equal(found.size, lines.length);
  for (const [index, line] of lines.entries()) {
    assert.deepEqual(found.get(line.slice(19))?.addresses, [0xffffffff00000000n + BigInt(index + 16)]);
  }
});

test('addresses of 32 bit are read', async () => {
  const found = await readSymbols(new Set(['main']), fixture('c0008000 T main\n'));
  assert.deepEqual(found.get('main')?.addresses, [0xc0008000n]);
});

test('an empty file holds nothing, and no names need no file', async () => {
  assert.equal((await readSymbols(new Set(['main']), fixture(''))).size, 0);
  assert.equal((await readSymbols(new Set(), join(directory, 'absent'))).size, 0);
});

test('a file that cannot be read, or is something else, is an error with a code', async () => {
  const unreadable = (error: unknown) =>
    error instanceof MmaplockError && error.code === 'kallsyms_unreadable';
  await assert.rejects(readSymbols(new Set(['main']), join(directory, 'absent')), unreadable);
  await assert.rejects(readSymbols(new Set(['main']), directory), unreadable);
  await assert.rejects(readSymbols(new Set(['main']), fixture('x'.repeat(100_000))), unreadable);
});

test('the live file agrees with grep, and takes little more than to read it', async (context) => {
  const names = ['seq_read', 'm_start', 'm_next', 'task_struct_no_such_symbol', '_text', 'vfs_read'];
  const found = await readSymbols(new Set(names));
  const pattern = ` (${names.join('|')})([[:space:]]|$)`;
  const lines = execFileSync('grep', ['-E', pattern, '/proc/kallsyms'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(/\s/));
  for (const name of names) {
    const addresses = lines.filter((line) => line[2] === name).map(([address]) => BigInt(`0x${address}`));
    assert.deepEqual(found.get(name)?.addresses ?? [], addresses, name);
  }
  await upToThreeTimes(context, 'kallsyms', async () => {
    const { ratio, said } = await timesAsLong(
      () => readSymbols(new Set(names)),
      () => scanFiles('/proc/kallsyms'),
    );
    context.diagnostic(said);
    assertTimely(ratio < 3, said);
  });
});
