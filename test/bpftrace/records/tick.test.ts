import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLine } from '../../../src/bpftrace/decode/lines.js';
import { Wire } from '../../../src/bpftrace/records/tick.js';
import type { Tick, TracerRecord } from '../../../src/records.js';
import { noReads, tick, victimVmaWaitRow } from '../../support/records.js';
import { dialectOf, type Version } from '../goldens.js';

const at = Date.UTC(2025, 5, 1);
const programLines = ['interval:s:1', '  @process_waits[1] = count();', '  $stale = @wait_how[tid];', '}'];

/** A wire that is fed text, as bpftrace of a version writes it. */
const wireOf = (version: Version = '0.17.0') => {
  const dialect = dialectOf(version);
  const wire = new Wire({ now: () => at, mapAt: (line) => /@\w+/.exec(programLines[line - 1] ?? '')?.[0] });
  return {
    wire,
    say: (...lines: readonly string[]): TracerRecord[] =>
      lines.flatMap((line) => wire.accept(decodeLine(line, dialect))),
  };
};

const map = (name: string, contents: unknown, type = 'map'): string =>
  JSON.stringify({ type, data: { [name]: contents } });
const tickAt = (nanoseconds: bigint | number): string =>
  JSON.stringify({ type: 'printf', data: `tick ${nanoseconds}\n` });
const emptyTick = tick(at);
const onlyTick = (records: readonly TracerRecord[]): Tick => {
  const [only, ...rest] = records;
  assert.deepEqual(rest, []);
  assert.ok(only?.kind === 'tick', JSON.stringify(only));
  return only;
};

test('the maps of one tick become one record, at its tick line', () => {
  const { say } = wireOf();
  assert.deepEqual(say('{"type": "attached_probes", "data": {"probes": 4}}', ''), []);
  assert.deepEqual(say(map('@waits', { '4,0,11': 3 }), map('@wait_ns', { '4,0,11': 4500 })), []);
  const buckets = [
    { min: 16, max: 31, count: 2 },
    { min: 32, max: 63, count: 1 },
  ];
  assert.deepEqual(say(map('@wait_us', { '4': buckets }, 'hist')), []);
  assert.deepEqual(onlyTick(say(tickAt(5_000_000_000))), {
    ...emptyTick,
    waits: [{ mode: 'write', operation: 'munmap', count: 3, nanoseconds: 4500 }],
    durations: [
      {
        mode: 'write',
        buckets: [
          { floorMicroseconds: 16, count: 2 },
          { floorMicroseconds: 32, count: 1 },
        ],
      },
    ],
  });
});

test('ends of waits that a source missed are lost events, each once', () => {
  const { say } = wireOf();
  const lost = (missed: object): number[] =>
    say(map('@ends_missed', missed), tickAt(1)).flatMap((record) =>
      record.kind === 'events_lost' ? [record.events] : [],
    );
  assert.deepEqual(lost({}), []);
  assert.deepEqual(lost({ '2': 60, '0': 1 }), [61]);
  assert.deepEqual(lost({ '2': 60, '0': 1 }), []);
  assert.deepEqual(lost({ '2': 61, '4': 2, '0': 1 }), [3]);
});

test('a tick begins empty: nothing of the one before is told again', () => {
  const { say } = wireOf();
  const bucket = { min: 16, max: 31, count: 2 };
  const told = onlyTick(
    say(map('@waits', { '4,0,11': 3 }), map('@wait_us', { '4': [bucket] }, 'hist'), tickAt(1)),
  );
  assert.deepEqual([told.waits.length, told.durations.length], [1, 1]);
  assert.deepEqual(onlyTick(say(tickAt(2))), emptyTick);
});

test('maps that are working state, and texts that are no tick, are passed over', () => {
  const { say } = wireOf();
  assert.deepEqual(
    say(
      map('@wait_lock', { '7': 18_446_612_689_045_520_000 }),
      map('@anything', { 'not an integer': 'x' }),
      map('@scalar', 1),
      '{"type": "printf", "data": "ticket 5\\n"}',
      '{"type": "printf", "data": "tick x\\n"}',
      'stdin:1:1-2: WARNING: something',
    ),
    [],
  );
  assert.deepEqual(onlyTick(say(tickAt(1))), emptyTick);
});

// Each line belongs to a map whose meaning is known, but cannot be understood.
const damaged: readonly (readonly [string, string, RegExp])[] = [
  ['a line cut short', '{"type": "map", "data": {"@waits": {"4,0,1', /JSON/],
  ['a key too short', map('@waits', { '4,0': 1 }), /^@waits: expected a key of 3 integers$/],
  ['a key too long', map('@process_pid', { '1,2,3,4': 1 }), /^@process_pid: expected a key of 3/],
  ['a key that is no integer', map('@waits', { '4,0,mmap': 1 }), /^@waits: expected a key of 3/],
  ['a value that is no integer', map('@waits', { '4,0,9': 'many' }), /^@waits: expected an integer/],
  ['a value that is no whole number', map('@waits', { '4,0,9': 1.5 }), /^@waits: expected an integer/],
  [
    'a value beyond 64 bits',
    '{"type": "map", "data": {"@waits": {"4,0,9": 100000000000000000000000}}}',
    /integer/,
  ],
  [
    'a negative number of lost events',
    '{"type": "lost_events", "data": {"events": -3}}',
    /events is negative/,
  ],
  ['a reader without its file', map('@reader_reads', { '1,2,3': 1 }), /^@reader_reads: expected a key of 4/],
  ['a block without its file', map('@reader_blocks', { '1,2,3,4,5,6': 1 }), /^@reader_blocks: .* key of 7/],
  ['VMA waits without their key', map('@vma_waits', 5), /^@vma_waits: expected keys$/],
  ['a victim without its cgroup', map('@victim_vma_waits', { '1,2': 1 }), /^@victim_vma_waits: .* key of 3/],
  ['no keys', map('@waits', 5), /^@waits: expected keys$/],
  ['a histogram without keys', map('@wait_us', [], 'hist'), /^@wait_us: expected keys$/],
  [
    'a histogram with keys too many',
    map('@wait_us', { '1,2': [] }, 'hist'),
    /^@wait_us: expected a key of 1/,
  ],
];

test('a damaged line makes its own tick incomplete, and no other', async (context) => {
  for (const [what, line, reason] of damaged)
    await context.test(what, () => {
      const { say } = wireOf();
      say(map('@waits', { '2,0,-1': 1 }));
      const [record, ...more] = say(line);
      assert.deepEqual(more, []);
      assert.ok(record?.kind === 'undecodable');
      assert.match(record.reason, reason);
      assert.equal(onlyTick(say(tickAt(1))).complete, false);
      assert.equal(onlyTick(say(tickAt(2))).complete, true);
    });
});

test('a line of a type that is not known is told, and costs no tick', () => {
  for (const [type, line] of [
    ['stats', map('@own', { '4,0,9': 5 }, 'stats')],
    ['runtime_error', '{"type": "runtime_error", "msg": "division by zero", "line": 3, "col": 7}'],
    ['flamegraph', '{"type": "flamegraph", "data": {}}'],
  ] as const) {
    const { say } = wireOf();
    say(map('@waits', { '2,0,-1': 1 }));
    assert.deepEqual(say(line), [{ kind: 'undecodable', at, reason: `unknown line type ${type}` }]);
    assert.equal(onlyTick(say(tickAt(1))).complete, true);
  }
});

test('a process whose mark is in question is told by its id, and a line that is no such one is passed over', () => {
  const { say } = wireOf();
  const line = (text: string): string => JSON.stringify({ type: 'printf', data: text });
  assert.deepEqual(say(line('asked 4242\n')), [{ kind: 'mark_asked', at, pid: 4242 }]);
  for (const other of ['asked\n', 'asked -1\n', 'asked 1 2\n', 'asked 12345678901\n', 'asked x\n'])
    assert.deepEqual(say(line(other)), [], other);
});

test('a file that is not known costs its row and nothing else, and is told', () => {
  const { say } = wireOf();
  assert.deepEqual(say(map('@proc_reads', { '0': 7, '1': 5, '10': 6 })), [
    { kind: 'undecodable', at, reason: '@proc_reads: no proc file 0' },
    { kind: 'undecodable', at, reason: '@proc_reads: no proc file 10' },
  ]);
  assert.deepEqual(say(map('@reader_reads', { '97,0,1,1': 5, '97,0,1,-1': 6 })), [
    { kind: 'undecodable', at, reason: '@reader_reads: no proc file -1' },
  ]);
  assert.deepEqual(say(map('@blocks', { '0': 1, '8': 2, '10': 3 })), [
    { kind: 'undecodable', at, reason: '@blocks: no proc file 10' },
  ]);
  assert.deepEqual(say(map('@block_us', { '10': [], '2': [] }, 'hist')), [
    { kind: 'undecodable', at, reason: '@block_us: no proc file 10' },
  ]);
  const told = onlyTick(say(tickAt(1)));
  assert.equal(told.complete, true, 'the next tick would have the row again');
  assert.deepEqual(
    told.procFiles.map(({ file, reads }) => [file, reads]),
    [['maps', 5]],
  );
  assert.deepEqual(
    told.readers.map(({ name, reads }) => [name, reads]),
    [['a', 5]],
  );
  assert.deepEqual(
    told.blocks.map(({ file, count }) => [file, count]),
    [
      [undefined, 1],
      ['remote', 2],
    ],
  );
  assert.deepEqual(told.blockDurations, [{ file: 'smaps', buckets: [] }]);
});

test('readers, blocks and VMA waits are part of the tick', () => {
  const { say } = wireOf();
  say(
    map('@proc_opens', { '1': 2 }),
    map('@reader_opens', { '97,0,1,1': 2 }),
    map('@blocks', { '2': 1 }),
    map('@block_ns', { '2': 30_000 }),
    map('@block_us', { '2': [{ min: 16, max: 31, count: 1 }] }, 'hist'),
    map('@reader_blocks', { '97,0,1,98,0,2,2': 1 }),
    map('@reader_block_ns', { '97,0,1,98,0,2,2': 30_000 }),
    map('@unblocked', { '4': 3 }),
    map('@unblocked_ns', { '4': 900 }),
    map('@vma_waits', { '0': 2 }),
    map('@vma_wait_ns', { '0': 70_000 }),
    map('@victim_vma_waits', { '98,0,2': 2 }),
    map('@victim_vma_wait_ns', { '98,0,2': 70_000 }),
  );
  const opened = { ...noReads, opens: 2 };
  const reader = { name: 'a', cgroupId: '1' };
  assert.deepEqual(onlyTick(say(tickAt(1))), {
    ...emptyTick,
    procFiles: [{ file: 'maps', ...opened }],
    readers: [{ ...reader, file: 'maps', ...opened, lastPid: undefined, lastTargetPid: undefined }],
    blocks: [{ file: 'smaps', count: 1, nanoseconds: 30_000 }],
    blockDurations: [{ file: 'smaps', buckets: [{ floorMicroseconds: 16, count: 1 }] }],
    readerBlocks: [
      { file: 'smaps', reader, victim: { name: 'b', cgroupId: '2' }, count: 1, nanoseconds: 30_000 },
    ],
    unblocked: [{ mode: 'write', count: 3, nanoseconds: 900 }],
    vmaWaits: { count: 2, nanoseconds: 70_000 },
    victimVmaWaits: [victimVmaWaitRow('b', 2, 70_000, { cgroupId: '2' })],
  });
});

test('a line dropped before it was decoded counts as damaged too', () => {
  const { wire, say } = wireOf();
  assert.deepEqual(wire.damaged('a line of 2000000 bytes'), [
    { kind: 'undecodable', at, reason: 'a line of 2000000 bytes' },
  ]);
  assert.equal(onlyTick(say(tickAt(1))).complete, false);
});

test('what bpftrace lost is told at once', () => {
  const { say } = wireOf();
  assert.deepEqual(say('{"type": "lost_events", "data": {"events": 83}}'), [
    { kind: 'events_lost', at, events: 83 },
  ]);
});

const helperError = (helper: string, line: number, retcode = -7): string =>
  JSON.stringify({ type: 'helper_error', helper, retcode, line, col: 3 });

test('a full map is named by what the program writes at that line', () => {
  const { say } = wireOf();
  assert.deepEqual(say(helperError('map_update_elem', 2)), [
    { kind: 'map_overflow', at, map: 'process_waits', updates: 1 },
  ]);
  assert.deepEqual(say(helperError('map_update_elem', 1), helperError('map_update_elem', 99)), [
    { kind: 'map_overflow', at, map: 'unknown', updates: 1 },
    { kind: 'map_overflow', at, map: 'unknown', updates: 1 },
  ]);
  assert.equal(onlyTick(say(tickAt(1))).complete, true);
});

test('a map that refuses an update for another reason is not full, and the reason is told', () => {
  const { say } = wireOf();
  for (const [errno, reason] of [
    [16, 'busy'], // EBUSY: the CPU was interrupted while it held the lock of that bucket
    [35, 'deadlock'], // EDEADLK, ETIMEDOUT: resilient spin locks, 6.15
    [110, 'timeout'],
    [12, 'no_memory'],
    [5, 'other'],
  ] as const) {
    const told = [{ kind: 'events_lost', at, events: 1, reason, map: 'process_waits', status: -errno }];
    assert.deepEqual(say(helperError('map_update_elem', 2, -errno)), told);
    // What was to go is still there.
    assert.deepEqual(say(helperError('map_delete_elem', 2, -errno)), told);
  }
});

test('deleting what is not there loses nothing; another helper that fails is told', () => {
  const { say } = wireOf();
  assert.deepEqual(say(helperError('map_delete_elem', 3, -2)), []);
  assert.deepEqual(say(helperError('probe_read', 3, -14)), [
    { kind: 'undecodable', at, reason: 'probe_read returned -14' },
  ]);
});

test('last words are a tick of what was counted, without waits that go on', () => {
  const { wire, say } = wireOf();
  assert.deepEqual(wire.lastWords(), []);
  say(map('@waits', { '4,0,11': 3 }), tickAt(1));
  assert.deepEqual(wire.lastWords(), [], 'nothing was said since the tick');
  say('', '', map('@waits', { '4,0,11': 5 }), map('@waiting', { 7: [1, 2 ** 32, 24580] }));
  assert.deepEqual(wire.lastWords(), [
    { ...emptyTick, waits: [{ mode: 'write', operation: 'munmap', count: 5, nanoseconds: 0 }] },
  ]);
  assert.deepEqual(wire.lastWords(), [], 'they are said once');
});

test('last words with a damaged line are incomplete', () => {
  const { wire, say } = wireOf();
  say(map('@waits', { '4,0,11': 5 }), map('@wait_ns', { '4,0': 5 }));
  const [tick] = wire.lastWords();
  assert.ok(tick?.kind === 'tick');
  assert.equal(tick.complete, false);
});

test('integers over 2^53 arrive, whether as numbers or as strings', () => {
  const start = 2n ** 53n + 123n;
  const how = (12 << 11) | 4;
  for (const [version, text] of [
    ['0.17.0', `${start}`],
    ['0.27.0', `"${start}"`],
  ] as const) {
    const { say } = wireOf(version);
    const who = (42n << 32n) | 43n;
    say(`{"type": "map", "data": {"@waiting": {"200": [${text}, ${who}, ${how}]}}}`);
    const [wait] = onlyTick(say(tickAt(start + 2_500_000_000n))).ongoing;
    assert.deepEqual(
      wait,
      { mode: 'write', operation: 'munmap', foreign: false, pid: 42, tid: 43, seconds: 2.5 },
      version,
    );
  }
});
