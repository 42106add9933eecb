import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { type Btf, parseBtf } from '../../src/kernel/btf.js';

const path = '/sys/kernel/btf/vmlinux';
const works = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const noBtf = existsSync(path) ? false : `${path} is absent`;
const noBpftool = noBtf || (works('bpftool') ? false : 'bpftool is not installed');
const noCompiler = noBpftool || (works('gcc') ? false : 'gcc is not installed');

const dump = (...format: string[]): string =>
  execFileSync('bpftool', ['btf', 'dump', 'file', path, ...format], { encoding: 'utf8', maxBuffer: 1 << 28 });

const structs = [
  'mm_struct',
  'task_struct',
  'file',
  'rw_semaphore',
  'seq_file',
  'vm_area_struct',
  'pt_regs',
  'signal_struct',
  'files_struct',
  'fdtable',
  'page',
  'inode',
];

interface DumpedType {
  id: number;
  kind: string;
  name: string;
  size: number;
  type_id: number;
  members?: { name: string; type_id: number; bits_offset: number; bitfield_size?: number }[];
}

test('each member of each struct of this kernel lies where bpftool says', { skip: noBpftool }, (context) => {
  const btf = parseBtf(readFileSync(path));
  const types = new Map(
    (JSON.parse(dump('-j')) as { types: DumpedType[] }).types.map((type) => [type.id, type]),
  );
  let compared = 0;
  const compare = (tag: string, composite: DumpedType, base: number): void => {
    for (const member of composite.members ?? []) {
      const bits = base + member.bits_offset;
      if (member.name === '(anon)') {
        // An anonymous bitfield is padding.
        const inner = types.get(member.type_id)!;
        if (inner.members !== undefined) compare(tag, inner, bits);
      } else {
        const expected = member.bitfield_size ? undefined : bits / 8;
        assert.equal(btf.memberOffset(tag, member.name), expected, `${tag}.${member.name}`);
        assert.equal(btf.hasMember(tag, member.name), true, `${tag}.${member.name}`);
        compared += 1;
      }
    }
  };
  const byTag = new Map<string, DumpedType[]>();
  for (const type of types.values()) {
    if (!['STRUCT', 'UNION'].includes(type.kind) || type.name === '(anon)') continue;
    byTag.set(type.name, [...(byTag.get(type.name) ?? []), type]);
  }
  for (const [tag, [composite, ...duplicates]] of byTag) {
    if (duplicates.length > 0) continue;
    assert.equal(btf.structSize(tag), composite!.size, tag);
    compare(tag, composite!, 0);
  }
  context.diagnostic(`${compared} members of ${byTag.size} types`);
  for (const tag of structs) assert.equal(byTag.get(tag)?.length, 1, tag);

  // Each twentieth of some 56,000: a name is looked for among all of them, which takes milliseconds.
  const functions = [...types.values()].filter(({ kind }) => kind === 'FUNC');
  for (let index = 0; index < functions.length; index += 20) {
    const { name } = functions[index]!;
    assert.ok(btf.hasFunction(name), name);
  }
});

test('nested paths and sizes are what a C compiler makes of the same types', { skip: noCompiler }, () => {
  // Not inode: it has an enum of one byte, and bpftool's C text makes it four.
  const tags = structs.filter((tag) => tag !== 'inode');
  const paths: [string, string][] = [
    ['mm_struct', 'mmap_lock'],
    ['mm_struct', 'mmap_lock.owner'],
    ['mm_struct', 'mmap_lock.count.counter'],
    ['mm_struct', 'owner'],
    ['mm_struct', 'exe_file'],
    ['task_struct', 'comm'],
    ['task_struct', 'group_leader'],
    ['task_struct', 'thread_info.status'],
    ['task_struct', 'thread_info.flags'],
    ['task_struct', 'se.sum_exec_runtime'],
    ['task_struct', 'stack'],
    ['file', 'f_op'],
    ['file', 'private_data'],
    ['file', 'f_path.dentry'],
    ['vm_area_struct', 'vm_start'],
    ['vm_area_struct', 'shared.rb'],
    ['page', 'mapping'],
    ['page', 'compound_head'],
    ['seq_file', 'private'],
    ['seq_file', 'lock.owner'],
    ['fdtable', 'fd'],
    ['files_struct', 'fdtab.max_fds'],
    ['signal_struct', 'live.counter'],
  ];
  const directory = mkdtempSync(join(tmpdir(), 'mmaplock-btf-'));
  try {
    writeFileSync(join(directory, 'vmlinux.h'), dump('format', 'c'));
    const numbers = [
      ...paths.map(([tag, member]) => `__builtin_offsetof(struct ${tag}, ${member})`),
      ...tags.map((tag) => `sizeof(struct ${tag})`),
    ];
    const source = `#include "vmlinux.h"\nint printf(const char *, ...);\nint main(void) {\n${numbers
      .map((number) => `printf("%lu\\n", (unsigned long)${number});`)
      .join('\n')}\nreturn 0; }\n`;
    writeFileSync(join(directory, 'main.c'), source);
    execFileSync('gcc', ['-w', '-o', 'main', 'main.c'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const expected = execFileSync(join(directory, 'main'), { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
    const btf = parseBtf(readFileSync(path));
    const actual = [
      ...paths.map(([tag, member]) => btf.memberOffset(tag, member)),
      ...tags.map((tag) => btf.structSize(tag)),
    ];
    assert.deepEqual(
      actual.map((number, index) => `${numbers[index]} ${number}`),
      expected.map((number, index) => `${numbers[index]} ${number}`),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('prototypes are those of the kernel source', { skip: noBtf }, () => {
  const btf = parseBtf(readFileSync(path));
  const prototype = (name: string): string | undefined =>
    btf
      .functionParameters(name)
      ?.map(({ name: parameter, type }) => (parameter === '' ? type : `${type}: ${parameter}`))
      .join(', ');
  assert.equal(prototype('seq_read'), 'struct file *: file, char *: buf, size_t: size, loff_t *: ppos');
  assert.equal(
    prototype('kthread_create_on_node'),
    'int (*)(void *): threadfn, void *: data, int: node, const char *: namefmt, ...',
  );
  assert.equal(prototype('find_vma'), 'struct mm_struct *: mm, long unsigned int: addr');
  assert.equal(prototype('strcmp'), 'const char *: cs, const char *: ct');
});

test("this kernel's BTF is parsed and indexed in well under 150 ms", { skip: noBtf }, (context) => {
  const times = Array.from({ length: 5 }, () => {
    const begun = performance.now();
    const btf = parseBtf(readFileSync(path));
    assert.ok(btf.hasStruct('task_struct') && btf.hasFunction('seq_read'));
    return performance.now() - begun;
  }).sort((a, b) => a - b);
  context.diagnostic(`median ${times[2]!.toFixed(1)} ms`);
  assert.ok(times[2]! < 150, `median ${times[2]} ms`);
});

test("truncations of this kernel's BTF are refused", { skip: noBtf }, () => {
  const blob = readFileSync(path);
  for (let step = 0; step < 200; step += 1) {
    const length = Math.floor((blob.length * step) / 200);
    assert.throws(
      () => parseBtf(blob.subarray(0, length)),
      (error) => error instanceof MmaplockError && error.code === 'btf_malformed',
      `${length} bytes`,
    );
  }
});

test("random damage to this kernel's BTF is refused or survived, within a bound of time", {
  skip: noBtf,
}, (context) => {
  const intact = readFileSync(path);
  const typeEnd = 24 + intact.readUInt32LE(12);
  const random = generator(20_241_122);
  const questions = (btf: Btf): void => {
    for (const tag of structs) {
      btf.structSize(tag);
      btf.memberOffset(tag, 'no_such_member');
    }
    btf.memberOffset('mm_struct', 'mmap_lock.owner');
    btf.functionParameters('seq_read');
    btf.functionParameters('kthread_create_on_node');
  };
  let refused = 0;
  let slowest = 0;
  const rounds = 400;
  for (let round = 0; round < rounds; round += 1) {
    const blob = Buffer.from(intact);
    // A few bytes, now in the header, now among the types, now anywhere; in every eighth round, thousands.
    const reach = [32, typeEnd, blob.length][round % 3]!;
    const mutations = round % 8 === 0 ? 5000 : 1 + (random() % 40);
    for (let mutation = 0; mutation < mutations; mutation += 1) blob[random() % reach] = random() & 0xff;
    const begun = performance.now();
    try {
      questions(parseBtf(blob));
    } catch (error) {
      assert.ok(error instanceof MmaplockError && error.code === 'btf_malformed', `round ${round}: ${error}`);
      refused += 1;
    }
    slowest = Math.max(slowest, performance.now() - begun);
  }
  context.diagnostic(`${refused} of ${rounds} refused, the slowest took ${slowest.toFixed(0)} ms`);
  assert.ok(refused > rounds / 4, `${refused} refused`);
  assert.ok(slowest < 2000, `${slowest} ms`);
});

/** Numerical Recipes' linear congruential generator: the same damage in each run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 4;
  };
}
