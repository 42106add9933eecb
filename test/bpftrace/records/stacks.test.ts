import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLine } from '../../../src/bpftrace/decode/lines.js';
import { framesOf, writerStacks } from '../../../src/bpftrace/records/stacks.js';
import { Wire } from '../../../src/bpftrace/records/tick.js';
import { dialectOf, versions } from '../goldens.js';

const key =
  '\n    rwsem_down_write_slowpath+1495\n    down_write_killable+92\n    vm_mmap_pgoff+233\n    do_syscall_64+113\n';

test('a stack is its functions, innermost first, however bpftrace divides them', () => {
  const functions = ['rwsem_down_write_slowpath', 'down_write_killable', 'vm_mmap_pgoff', 'do_syscall_64'];
  assert.deepEqual(framesOf(key), functions);
  assert.deepEqual(framesOf(key.replaceAll('\n', '\\n')), functions, 'newlines that were escaped twice');
  assert.deepEqual(framesOf('down_write+0x5c @ /build/rwsem.c:1590\nksys_mmap+12'), [
    'down_write',
    'ksys_mmap',
  ]);
});

test('stacks that differ in offsets only are one', () => {
  assert.deepEqual(
    writerStacks([
      [key, 5],
      [key.replaceAll('+1495', '+1501'), 7],
      ['', 9],
    ]).map(({ count, frames }) => [count, frames.length]),
    [[12, 4]],
  );
});

for (const version of versions)
  test(`${version}: stacks come with their tick, and the next has its own`, () => {
    const wire = new Wire({ now: () => 1000, mapAt: () => undefined });
    const accept = (line: object) => wire.accept(decodeLine(JSON.stringify(line), dialectOf(version)));
    const tick = { type: 'printf', data: 'tick 5\n' };
    assert.deepEqual(accept({ type: 'map', data: { '@writer_stacks': { [key]: 12 } } }), []);
    const [first] = accept(tick);
    assert.deepEqual(
      first?.kind === 'tick' && first.writerStacks.map(({ count, frames }) => [count, frames[1]]),
      [[12, 'down_write_killable']],
    );
    const [second] = accept(tick);
    assert.deepEqual(second?.kind === 'tick' && second.writerStacks, []);
  });
