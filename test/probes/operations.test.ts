import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { context, operationOf } from '../../src/probes/operations.js';
import { type Mode, type Operation, waitPairs } from '../../src/vocabulary.js';

const { exiting, ioWorker, kernelThread, compat, foreign, procRead } = context;
const none = 0;
const pageFault = -1;
const unknown = 1022;

const cases: readonly (readonly [string, Mode, number, number, Operation])[] = [
  ['mmap', 'write', none, 9, 'mmap'],
  ['mprotect', 'write', none, 10, 'mprotect'],
  ['pkey_mprotect', 'write', none, 329, 'mprotect'],
  ['munmap', 'write', none, 11, 'munmap'],
  ['brk', 'write', none, 12, 'brk'],
  ['mremap', 'write', none, 25, 'mremap'],
  ['madvise for writing', 'write', none, 28, 'madvise'],
  ['madvise for reading', 'read', none, 28, 'madvise'],
  ['process_madvise', 'read', none, 440, 'madvise'],
  ['clone', 'write', none, 56, 'clone'],
  ['fork', 'write', none, 57, 'clone'],
  ['vfork', 'write', none, 58, 'clone'],
  ['clone3', 'write', none, 435, 'clone'],
  ['execve', 'write', none, 59, 'execve'],
  ['execve copies the arguments', 'read', none, 59, 'execve'],
  ['execveat', 'write', none, 322, 'execve'],
  ['exit', 'write', none, 60, 'exit'],
  ['exit_group', 'write', none, 231, 'exit'],
  ['another call for writing', 'write', none, 30, 'other'], // shmat

  ['a page fault', 'read', none, pageFault, 'page_fault'],
  ['the stack grows', 'write', none, pageFault, 'page_fault'],
  ['read() faults on its buffer', 'read', none, 0, 'page_fault'],
  ['wait4() faults on its result', 'read', none, 61, 'page_fault'],
  ['munmap only writes, so its read wait is a fault', 'read', none, 11, 'page_fault'],
  ['clone faults on the ids it stores', 'read', none, 56, 'page_fault'],
  ['MAP_POPULATE', 'read', none, 9, 'mmap'],
  ['brk under mlockall', 'read', none, 12, 'brk'],
  ['mremap under mlockall', 'read', none, 25, 'mremap'],
  ['msync', 'read', none, 26, 'other'],
  ['mincore', 'read', none, 27, 'other'],
  ['mlock', 'read', none, 149, 'other'],
  ['mlock2', 'read', none, 325, 'other'],
  ['mlock for writing', 'write', none, 149, 'other'],
  ['mbind', 'read', none, 237, 'other'],

  ['32-bit mmap2', 'write', compat, 192, 'mmap'],
  ['32-bit old mmap', 'write', compat, 90, 'mmap'],
  ['32-bit mprotect', 'write', compat, 125, 'mprotect'],
  ['32-bit munmap', 'write', compat, 91, 'munmap'],
  ['32-bit brk', 'write', compat, 45, 'brk'],
  ['32-bit mremap', 'write', compat, 163, 'mremap'],
  ['32-bit execve is 64-bit munmap', 'write', compat, 11, 'execve'],
  ['64-bit mmap is 32-bit link', 'write', compat, 9, 'other'],
  ['32-bit fork', 'write', compat, 2, 'clone'],
  ['32-bit clone', 'write', compat, 120, 'clone'],
  ['32-bit madvise', 'read', compat, 219, 'madvise'],
  ['32-bit exit_group', 'write', compat, 252, 'exit'],
  ['32-bit mincore', 'read', compat, 218, 'other'],
  ['64-bit mincore is no lock of a 32-bit program', 'read', compat, 27, 'page_fault'],
  ['a page fault of a 32-bit program', 'read', compat, pageFault, 'page_fault'],

  ['a killed thread has a stale number', 'write', exiting, 9, 'exit'],
  ['an exiting thread reads', 'read', exiting, pageFault, 'exit'],
  ['exit goes before all else', 'write', exiting | foreign | kernelThread | ioWorker | compat, 0, 'exit'],
  ['an io_uring worker faults', 'read', ioWorker, 9, 'page_fault'],
  ['an io_uring worker writes', 'write', ioWorker, 9, 'other'],
  ['a kernel thread', 'read', kernelThread, pageFault, 'other'],
  ['a foreign mm, in read()', 'read', foreign, 0, 'other'],
  ['a foreign mm, in process_madvise()', 'read', foreign, 440, 'other'],
  ['a foreign mm, for writing', 'write', foreign, 1, 'other'],
  ['a proc file of a foreign mm, in read()', 'read', foreign | procRead, 0, 'proc_read'],
  ['PROCMAP_QUERY, in ioctl()', 'read', foreign | procRead, 16, 'proc_read'],
  ['clear_refs of a foreign mm, in write()', 'write', foreign | procRead, 1, 'proc_read'],
  ['a 32-bit reader of a proc file', 'read', foreign | procRead | compat, 3, 'proc_read'],
  ['a killed reader of a proc file', 'read', exiting | foreign | procRead, 0, 'exit'],
  ['a kernel thread reads no proc file', 'read', kernelThread | foreign | procRead, 0, 'other'],

  ['a number that was not read', 'read', none, unknown, 'other'],
  ['a number that was not read, for writing', 'write', none, unknown, 'other'],
];

test('what a waiter did', async (context) => {
  for (const [what, mode, bits, syscall, operation] of cases)
    await context.test(`${what}: ${operation}`, () =>
      assert.equal(operationOf(mode, bits, syscall), operation),
    );
});

test('every mode, context and system call gives a pair that has its series', () => {
  const known = new Set(waitPairs.map(([mode, operation]) => `${mode} ${operation}`));
  const modes: readonly Mode[] = ['read', 'write'];
  for (const mode of modes)
    for (let bits = 0; bits < 256; bits += 1)
      for (let syscall = -1; syscall <= 1100; syscall += 1) {
        const pair = `${mode} ${operationOf(mode, bits, syscall)}`;
        if (!known.has(pair)) assert.fail(`${pair} of context ${bits}, system call ${syscall} has no series`);
      }
  fc.assert(
    fc.property(fc.constantFrom(...modes), fc.integer({ min: 0 }), fc.integer(), (mode, bits, syscall) =>
      known.has(`${mode} ${operationOf(mode, bits, syscall)}`),
    ),
  );
});
