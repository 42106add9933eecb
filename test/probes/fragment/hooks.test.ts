import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../../src/package-root.js';
import { readCatalog } from '../../../src/probes/catalog.js';
import type { Fragment } from '../../../src/probes/fragment/fragment.js';
import { addsTo, hookOf } from '../../../src/probes/fragment/hooks.js';
import { joinProgram } from '../../../src/probes/program.js';
import { fragmentOf, plainBody } from '../fake.js';

const header = ['mode watch', 'provides blocks', 'cost none', 'needs fragment waits', 'needs fragment x.y-z'];
const added = '//@ at waits begun\n  @a = args->flags;\n\n//@ at x.y-z ended\n  @b = 1;\n';

test('a hook is a comment in a block that says its name', () => {
  assert.equal(hookOf('    //@ hook begun: $now, $mm'), 'begun');
  assert.equal(hookOf('\t//@ hook begun'), 'begun');
  for (const line of ['//@ hook', '  // hook begun', '  @a = 1; //@ hook begun', '//@ at waits begun', ''])
    assert.equal(hookOf(line), undefined, line);
});

test('additions end where the next begins, and may be all that a fragment has', () => {
  for (const defines of [[], ['LOCK 1 // offset mm_struct.mmap_lock']]) {
    const { additions, probes, lines, bodyStart } = fragmentOf('blocks', { header, defines, body: added });
    assert.deepEqual(probes, []);
    assert.deepEqual(
      additions.map(({ to, hook, start, end }) => [to, hook, lines.slice(start, end)]),
      [
        ['waits', 'begun', ['//@ at waits begun', '  @a = args->flags;', '']],
        ['x.y-z', 'ended', ['//@ at x.y-z ended', '  @b = 1;', '']],
      ],
    );
    assert.ok(bodyStart <= (additions[0]?.start ?? -1), 'no addition is cut away with the header');
  }
});

test('additions stand behind the probes, whose fields are their own', () => {
  const { additions, probes } = fragmentOf('blocks', {
    header,
    body: `kprobe:up_read\n{\n  @c = 1;\n}\n\n${added}`,
  });
  assert.deepEqual(
    probes.map(({ target, fields }) => [target, fields]),
    [['up_read', []]],
  );
  assert.equal(additions.length, 2);
});

test('what a fragment prints may be a map of its additions', () => {
  assert.equal(fragmentOf('blocks', { header: [...header, 'prints @b'], body: added }).prints.length, 1);
});

test('what is malformed is named with file and line', () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['//@ at waits\n', 9, /an addition is \/\/@ at FRAGMENT HOOK/],
    ['//@ at waits begun now\n', 9, /an addition is/],
    ['//@ at waits be-gun\n', 9, /an addition is/],
    ['//@ at  begun\n', 9, /an addition is/],
    [`${added}//@ at reads begun\n`, 14, /it adds to reads: say so by \/\/@ needs fragment reads/],
    [`${added}kprobe:up_read\n{\n}\n`, 14, /probes stand before the additions/],
    [`${added}END\n{\n}\n`, 14, /probes stand before the additions/],
    [`${added}#define LOCK 1 // size a\n`, 14, /constants come before/],
    ['//@  at waits begun\n', 9, /unknown directive "at"/],
    // a hook is indented, for it stands in a block
    [`${plainBody}//@ hook begun: nothing\n`, 13, /unknown directive "hook"/],
  ];
  for (const [body, line, words] of cases)
    assert.throws(
      () => fragmentOf('blocks', { header, body }),
      (error: Error & { code?: string; field?: string }) => {
        assert.equal(error.code, 'fragment_malformed');
        assert.equal(error.field, 'blocks.bt');
        assert.match(error.message, words);
        assert.ok(error.message.startsWith(`blocks.bt:${line}: `), `${error.message}, not line ${line}`);
        return true;
      },
      body,
    );
});

test('each addition of the shipped fragments finds its hooks, in whichever source tells of the event', async () => {
  const { fragments: all } = await readCatalog(path.join(packageRoot, 'bpf'));
  for (const kind of ['tracepoint', 'fentry', 'kprobe']) {
    const isOfKind = ({ name }: Fragment): boolean => name.endsWith(kind);
    const fragments = all.filter(
      (one) =>
        one.tells === undefined ||
        isOfKind(one) ||
        !all.some((other) => other.tells === one.tells && isOfKind(other)),
    );
    const { text, originOf } = joinProgram(fragments.map((fragment) => ({ fragment, constants: new Map() })));
    const origins = text.split('\n').map((_, index) => originOf(index + 1));
    const additions = fragments.flatMap((fragment) =>
      fragment.additions.map((addition) => ({ fragment, addition })),
    );
    assert.ok(additions.length > 0, 'none is shipped');
    for (const { fragment, addition } of additions) {
      const isThere = fragments.some((other) => addsTo(addition, other));
      const spliced = origins.filter(
        (origin) => origin?.fragment === fragment.name && origin.line === addition.start + 1,
      );
      assert.equal(spliced.length > 0, isThere, `${fragment.name}.bt:${addition.start + 1} with ${kind}`);
    }
  }
});
