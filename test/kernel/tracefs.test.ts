import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { findTracefs, parseFormat, readTracepoint } from '../../src/kernel/tracefs.js';

const directory = mkdtempSync(join(tmpdir(), 'mmaplock-tracefs-'));
after(() => rmSync(directory, { recursive: true }));
const withCode = (code: string) => (error: unknown) => error instanceof MmaplockError && error.code === code;

const format = `name: sample
ID: 1234
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:struct mm_struct *mm;	offset:8;	size:8;	signed:0;
	field:const char * filename;	offset:16;	size:8;	signed:0;
	field:__data_loc char[] memcg_path;	offset:24;	size:4;	signed:0;
	field:char prev_comm[16];	offset:28;	size:16;	signed:0;
	field:unsigned long args[6];	offset:48;	size:48;	signed:0;

print fmt: "field:%s;", REC->filename
`;

test('fields come with name, type, place and sign', () => {
  const { id, fields } = parseFormat(format);
  assert.equal(id, 1234);
  assert.deepEqual(
    fields.map(({ name, type }) => `${name}: ${type}`),
    [
      'common_type: unsigned short',
      'common_pid: int',
      'mm: struct mm_struct *',
      'filename: const char *',
      'memcg_path: __data_loc char[]',
      'prev_comm: char[16]',
      'args: unsigned long[6]',
    ],
  );
  assert.deepEqual(fields[1], { name: 'common_pid', type: 'int', offset: 4, size: 4, signed: true });
  assert.deepEqual(fields[5], { name: 'prev_comm', type: 'char[16]', offset: 28, size: 16, signed: false });
});

test('tracefs is found in its own place first, then below debugfs', () => {
  const sys = join(directory, 'sys');
  mkdirSync(join(sys, 'kernel/tracing'), { recursive: true });
  assert.throws(() => findTracefs(sys), withCode('tracefs_missing'));
  mkdirSync(join(sys, 'kernel/debug/tracing/events'), { recursive: true });
  assert.equal(findTracefs(sys), join(sys, 'kernel/debug/tracing'));
  mkdirSync(join(sys, 'kernel/tracing/events'));
  assert.equal(findTracefs(sys), join(sys, 'kernel/tracing'));
});

test('a tracepoint is read, an absent one is undefined, an odd one is an error', () => {
  const event = join(directory, 'events/lock/sample');
  mkdirSync(event, { recursive: true });
  writeFileSync(join(event, 'format'), format);
  assert.equal(readTracepoint('lock', 'sample', directory)?.id, 1234);
  assert.equal(readTracepoint('lock', 'absent', directory), undefined);
  writeFileSync(join(event, 'format'), 'nothing of the kind');
  assert.throws(() => readTracepoint('lock', 'sample', directory), withCode('tracefs_unreadable'));
});

const live = '/sys/kernel/tracing/events';
test('every field of every tracepoint of this kernel is understood', {
  skip: existsSync(live) ? false : `${live} is absent`,
}, (context) => {
  let count = 0;
  for (const category of readdirSync(live)) {
    // ftrace's own records are formats too, but not tracepoints, and they have unions written as a.b.
    if (category === 'ftrace' || !existsSync(join(live, category, 'filter'))) continue;
    for (const name of readdirSync(join(live, category))) {
      const path = join(live, category, name, 'format');
      if (!existsSync(path)) continue;
      const parsed = readTracepoint(category, name, findTracefs());
      const text = readFileSync(path, 'latin1');
      assert.ok(parsed !== undefined && parsed.id > 0, path);
      assert.equal(parsed.fields.length, text.match(/^\tfield:/gm)?.length, path);
      for (const field of parsed.fields) assert.match(field.name, /^\w+$/, `${path}: ${field.name}`);
      for (const field of parsed.fields) assert.notEqual(field.type, '', `${path}: ${field.name}`);
      count += 1;
    }
  }
  context.diagnostic(`${count} tracepoints`);
  assert.ok(count > 100, `${count} tracepoints`);
});
