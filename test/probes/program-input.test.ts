/** Whatever an operator configures, what bpftrace is told to run holds nothing of it but integers. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../src/config/load.js';
import { packageRoot } from '../../src/package-root.js';
import { joinProgram } from '../../src/probes/program.js';
import { surveyHost } from '../../src/survey/survey.js';
import { cases } from '../support/depth.js';

const folder = path.join(packageRoot, 'bpf');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.bt'),
);

/** A line without its comment, each number in it the same. */
const skeletonOf = (line: string): string =>
  line
    .replace(/\/\/.*$/, '')
    .replace(/(?<!\w)(?:0x[0-9a-f]+|\d+)\b/g, '#')
    .trim();

/** Lines of the fragments; a constant is a number. */
const shipped = new Set(
  files.flatMap((name) => {
    const lines = readFileSync(path.join(folder, name), 'utf8').split('\n');
    const constants = lines.flatMap((line) => /^#define\s+(\w+)/.exec(line)?.[1] ?? []);
    const words = new RegExp(`\\b(?:${['(?!)', ...constants].join('|')})\\b`, 'g');
    return lines.map((line) => skeletonOf(line.replace(/\/\/.*$/, '').replace(words, '#')));
  }),
);
/** What joins them: the tick at the end. */
const joint =
  /^(?:interval:m?s:#|[{}]|print\(@\w+(?:, #)?\);|printf\("tick %llu\\n", nsecs\);|\/@ticking == #\/|@(?:ticking|zz_end) = #;)$/;

const foreign = (text: string): string[] =>
  text.split('\n').filter((line) => !shipped.has(skeletonOf(line)) && !joint.test(skeletonOf(line)));

test('what is looked for would be found', () => {
  assert.ok(files.length > 10 && shipped.size > 100, `${files.length} files, ${shipped.size} lines`);
  assert.deepEqual(foreign('interval:s:1\n{\n  print(@waits, 500);\n}\n'), []);
  assert.equal(foreign('  system("id");\nkprobe:evil { }\n  @x = "name";').length, 3);
});

const hostile = fc.constantFrom('"); system("id"); //', '*/ BEGIN { exit(); }', '$(id)', '@x', 'a\\nb', '%s');
const victim = fc.oneof(hostile, fc.string({ minLength: 1, maxLength: 15 }));
const one = <T>(...values: readonly T[]) => fc.constantFrom(...values);

/** Flags that have to do with what is traced, and some of free text; those that are not accepted are drawn anew. */
const flags = fc.record({
  'metrics.watched_victims': fc.uniqueArray(victim, { maxLength: 10 }),
  'web.allowed_hosts': fc.constant(['a.internal']),
  'incidents.directory': hostile,
  'bpftrace.path': hostile,
  'web.unix_socket': hostile,
  'probes.reads': one('exact', 'opens', 'off'),
  'probes.retries': one('on', 'off'),
  'probes.vma_waits': one('on', 'off'),
  'probes.disable': fc.subarray(
    files.map((file) => path.basename(file, '.bt')),
    { maxLength: 3 },
  ),
  'probes.allow': one(['tracepoint'], ['tracepoint', 'kprobe'], ['tracepoint', 'kprobe', 'fentry']),
  'incidents.wait_ms': fc.double({ min: 1, max: 60_000, noNaN: true }),
  'incidents.share_percent': fc.double({ min: 1, max: 100, noNaN: true }),
  'incidents.window_seconds': fc.integer({ min: 1, max: 60 }),
  'limits.map_keys': fc.integer({ min: 512, max: 65_536 }),
});

const accepted = (given: Readonly<Record<string, unknown>>) => {
  try {
    return loadConfig({ flags: given });
  } catch {
    return undefined;
  }
};

test('a program differs from the shipped fragments in integers alone', async () => {
  let programs = 0;
  await fc.assert(
    fc.asyncProperty(flags, async (given) => {
      const config = accepted(given) ?? loadConfig({ flags: { ...given, 'metrics.watched_victims': [] } });
      const { plan, inspection } = await surveyHost(config);
      const texts = [joinProgram(plan.chosen).text, joinProgram(inspection.chosen).text];
      for (const text of texts) assert.deepEqual(foreign(text), []);
      programs += 1;
    }),
    { numRuns: cases(8) },
  );
  assert.ok(programs >= cases(8));
});
