/**
 * What begins something counts only once what ends it is there. bpftrace attaches tracepoints, intervals and return
 * probes in the order of the text, then the rest from the last to the first (attach_reverse() in its src/bpftrace.cpp):
 * fentry and kprobe, and from 0.25 on fexit as well.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { joinProgram, type Program } from '../../src/probes/program.js';

let fragments: readonly Fragment[];
before(async () => {
  ({ fragments } = await readCatalog(path.join(packageRoot, 'bpf')));
});

/** All of a host with this kind of probes, in the order of a plan: by rank, then by name. */
const programOf = (kind: 'tracepoint' | 'kprobe' | 'fentry'): Program =>
  joinProgram(
    fragments
      .filter(({ mode }) => mode === 'watch')
      .filter(
        ({ tells, name }) =>
          tells === undefined ||
          name.endsWith(`-${kind}`) ||
          !fragments.some((other) => other.tells === tells && other.name.endsWith(`-${kind}`)),
      )
      .toSorted((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
      .map((fragment) => ({ fragment, constants: new Map() })),
  );

/** The places of the probes of a program, from the first in its text to the last. */
const probesOf = ({ text }: Program): string[] =>
  text
    .split('\n')
    .filter((line) => /^[a-z]+:[\w:.]+/.test(line))
    .map((line) => line.split(/[ ,]/)[0] ?? '');

/** Places of what begins and of what ends it, of probes that are attached from the last to the first. */
const pairs = [
  ['down_read_killable', 'seq_read'],
  ['down_read_killable', 'pagemap_read'],
  ['rwsem_down_read_slowpath', 'rwsem_down_read_slowpath'],
  ['rwsem_down_write_slowpath', 'rwsem_down_write_slowpath'],
  ['seq_read', 'seq_read'],
] as const;

test('intervals stand last: when one of them fires, all that is attached in the order of the text is there', () => {
  for (const kind of ['tracepoint', 'kprobe', 'fentry'] as const) {
    const probes = probesOf(programOf(kind));
    assert.deepEqual(probes.slice(-2), ['interval:s:1', 'interval:ms:100'], kind);
    assert.equal(probes.filter((probe) => probe.startsWith('interval:')).length, 2, kind);
  }
});

test('what begins something stands before what ends it, so that it is attached after it', () => {
  for (const kind of ['kprobe', 'fentry'] as const) {
    const probes = probesOf(programOf(kind));
    for (const [begin, end] of pairs) {
      const first = probes.findIndex((probe) => probe.endsWith(`:${begin}`));
      const last = probes.findLastIndex((probe) => probe.endsWith(`:${end}`));
      assert.ok(last < 0 || first < 0 || first <= last, `${kind}: ${begin} stands behind ${end}`);
    }
    assert.ok(probes.some((probe) => probe.endsWith(':down_read_killable')));
  }
});

test('a wait and a window begin only after the first tick', () => {
  for (const name of ['waits', 'retries']) {
    const lines = fragments.find((fragment) => fragment.name === name)?.lines ?? [];
    assert.ok(
      lines.some((line) => /^ *if \(.*@ticking == 1\) \{$/.test(line)),
      `${name}.bt`,
    );
  }
});
