import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MmaplockError } from '../../src/errors.js';
import { type Btf, parseBtf } from '../../src/kernel/btf.js';
import { cases, depth } from '../support/depth.js';
import { scanFiles, timesAsLong } from '../support/ratio.js';
import { assertTimely, upToThreeTimes } from '../support/timing.js';

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

/** About so many, evenly apart, from a random one on. */
const sampleOf = <T>(all: readonly T[], count: number): T[] => {
  const every = Math.max(1, Math.floor(all.length / count));
  const first = Math.floor(Math.random() * every);
  return all.filter((_, index) => index % every === first);
};

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
  for (const tag of structs) assert.equal(byTag.get(tag)?.length, 1, tag);
  // A name is looked for among all of them, which takes milliseconds: other samples in each run add up.
  const tags = depth > 1 ? [...byTag.keys()] : [...structs, ...sampleOf([...byTag.keys()], 150)];
  for (const tag of tags) {
    const [composite, ...duplicates] = byTag.get(tag)!;
    if (duplicates.length > 0) continue;
    assert.equal(btf.structSize(tag), composite!.size, tag);
    compare(tag, composite!, 0);
  }
  const functions = [...types.values()].filter(({ kind }) => kind === 'FUNC');
  const looked = sampleOf(functions, depth > 1 ? functions.length / 20 : 75);
  for (const { name } of looked) assert.ok(btf.hasFunction(name), name);
  context.diagnostic(
    `${compared} members of ${tags.length} of ${byTag.size} types, ${looked.length} of ${functions.length} functions`,
  );
  assert.ok(compared > 500, `${compared} members`);
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

const parseAndAsk = (): void => {
  const btf = parseBtf(readFileSync(path));
  assert.ok(btf.hasStruct('task_struct') && btf.hasFunction('seq_read'));
};

test("this kernel's BTF is parsed and indexed in little more than it takes to read", {
  skip: noBtf,
}, async (context) => {
  await upToThreeTimes(context, 'BTF', async () => {
    const { ratio, said } = await timesAsLong(parseAndAsk, () => scanFiles(path));
    context.diagnostic(said);
    assertTimely(ratio < 6, said);
  });
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
}, async (context) => {
  const intact = readFileSync(path);
  const typeEnd = 24 + intact.readUInt32LE(12);
  const seed = Date.now() >>> 0;
  const random = generator(seed);
  const questions = (btf: Btf): void => {
    for (const tag of structs) {
      btf.structSize(tag);
      btf.memberOffset(tag, 'no_such_member');
    }
    btf.memberOffset('mm_struct', 'mmap_lock.owner');
    btf.functionParameters('seq_read');
    btf.functionParameters('kthread_create_on_node');
  };
  /** Whether an answer came. */
  const survives = (blob: Buffer): boolean => {
    try {
      questions(parseBtf(blob));
      return true;
    } catch (error) {
      // Damage may look like a kind of a later kernel, behind which nothing is known.
      const coded = error instanceof MmaplockError && /^btf_(?:malformed|unknown_kind)$/.test(error.code);
      assert.ok(coded, `seed ${seed}: ${error}`);
      return false;
    }
  };
  let refused = 0;
  let slowest = { milliseconds: 0, blob: intact };
  const rounds = cases(60);
  for (let round = 0; round < rounds; round += 1) {
    const blob = Buffer.from(intact);
    // A few bytes, now in the header, now among the types, now anywhere; in every eighth round, thousands.
    const reach = [32, typeEnd, blob.length][round % 3]!;
    const mutations = round % 8 === 0 ? 5000 : 1 + (random() % 40);
    for (let mutation = 0; mutation < mutations; mutation += 1) blob[random() % reach] = random() & 0xff;
    const begun = performance.now();
    if (!survives(blob)) refused += 1;
    const milliseconds = performance.now() - begun;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, blob };
  }
  context.diagnostic(`seed ${seed}: ${refused} of ${rounds} refused`);
  assert.ok(refused > rounds / 4, `${refused} refused`);
  await upToThreeTimes(context, 'damaged BTF', async () => {
    const { ratio, said } = await timesAsLong(
      () => survives(slowest.blob),
      () => survives(intact),
      3,
    );
    context.diagnostic(`the slowest against the intact one: ${said}`);
    assertTimely(ratio < 20, `seed ${seed}: ${said}`);
  });
});

/** Numerical Recipes' linear congruential generator: the same damage from the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 4;
  };
}
