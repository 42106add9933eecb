/** Each fragment of bpf/ runs by hand on this kernel, with the bpftrace of this host. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { judgeStderr } from '../../src/bpftrace/process/stderr.js';
import { readTracerCost } from '../../src/cost/tracer.js';
import { readKernelProfile } from '../../src/kernel/profile.js';
import { packageRoot } from '../../src/package-root.js';
import { readCatalog } from '../../src/probes/catalog.js';
import type { Fragment } from '../../src/probes/fragment/fragment.js';
import { addsTo } from '../../src/probes/fragment/hooks.js';
import { askedOfKernel, makePlan } from '../../src/probes/plan.js';
import { scriptOf } from '../../src/probes/program.js';
import { everything } from '../probes/fake.js';
import { lacking } from './support/host.js';
import { watchLines } from './support/lines.js';
import { eventually, patience } from './support/patience.js';

const skip = lacking('root', 'bpftrace');
const directory = mkdtempSync(path.join(tmpdir(), 'mmaplockd-fragments-'));
after(() => rmSync(directory, { recursive: true }));

const catalog = await readCatalog(path.join(packageRoot, 'bpf'));
const profile = await readKernelProfile(askedOfKernel(catalog));

/** Resolves once the kernel has loaded so many programs of this process, the sign that it has attached them. */
const loaded = (pid: number, programs: number): Promise<true> =>
  eventually(`${programs} programs are loaded`, () =>
    (readTracerCost(pid)?.programs.length ?? 0) >= programs ? true : undefined,
  );

/** What a fragment adds to, and what that adds to in turn. */
const targetsOf = (fragment: Fragment): Fragment[] =>
  catalog.fragments
    .filter((other) => fragment.additions.some((addition) => !addition.optional && addsTo(addition, other)))
    .flatMap((target) => [target, ...targetsOf(target)]);

// They do not see each other: each counts the programs of its own process.
describe('fragments', { concurrency: availableParallelism() }, () => {
  for (const fragment of catalog.fragments) {
    // By itself, but for what it adds to, and as if always on: what another covers, or inspect alone may run, can be run
    // by hand all the same.
    const parts = [fragment.name, ...targetsOf(fragment).map(({ name }) => name)];
    const fragments = catalog.fragments
      .filter(({ name }) => parts.includes(name))
      .map((part) => ({
        ...part,
        mode: 'watch' as const,
        // a source is run although nobody needs it
        tells: part === fragment ? undefined : part.tells,
        needs: { ...part.needs, fragments: part.needs.fragments.filter((name) => parts.includes(name)) },
      }));
    const plan = makePlan({ fragments, problems: [] }, profile, everything);
    const choice = plan.chosen.find((chosen) => chosen.fragment.name === fragment.name);
    const refusal = plan.refused.find((refused) => refused.fragment === fragment.name);
    const lacks =
      choice === undefined && (refusal?.reasons.map(({ detail }) => detail).join('; ') ?? 'refused');

    test(`${fragment.name}.bt runs by hand`, { skip: skip || lacks, timeout: patience(60) }, async () => {
      assert.ok(choice !== undefined);
      const file = path.join(directory, `${fragment.name}.bt`);
      const script = scriptOf(choice, plan.chosen);
      writeFileSync(file, script.text);
      const child = spawn('bpftrace', ['-f', 'json', file], { stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = once(child, 'close');
      const stdout = watchLines(child.stdout, 'bpftrace');
      const stderr = watchLines(child.stderr, 'bpftrace');
      try {
        const [, count] = await stdout
          .match(/"attached_probes", "data": \{"probes": (\d+)/)
          .catch((error: Error) => assert.fail(`${error.message}\n${stderr.seen.join('\n')}`));
        assert.equal(Number(count), script.probes);
        await loaded(child.pid!, script.probes);
      } finally {
        child.kill('SIGINT');
      }
      // 0.17 forgets a signal that comes while it handles an event; a second SIGINT would kill it.
      const again = setInterval(() => child.kill('SIGTERM'), 1000);
      const [code] = (await ended) as [number | null];
      clearInterval(again);
      assert.equal(code, 0, stderr.seen.join('\n'));
      assert.deepEqual(
        stderr.seen.filter((line) => judgeStderr(line).severity !== 'benign'),
        [],
      );
    });
  }
});

test('the catalog is not empty', () => {
  assert.ok(catalog.fragments.length > 0);
  assert.deepEqual(catalog.problems, []);
});
