import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBenchArguments } from '../arguments.js';
import { hostConfigs } from '../configs.js';
import { resultsWith } from '../fake.js';
import { merge } from '../files.js';
import { addedText, durationText, inUnit, ratioText } from './figures.js';
import { pictureOf } from './picture.js';
import { insertReport, reportOf } from './report.js';

const results = resultsWith({
  nothing: { getppid: [1, 1.02, 0.98], maps: [1, 1, 1] },
  watch: { getppid: [1.1, 1.14, 1.18], maps: [1.08, 1.08, 1.08] },
});

test('figures', () => {
  assert.equal(ratioText({ median: 1.14, lower: 1.12, upper: 1.16 }), 'x1.14 ±0.02');
  assert.equal(addedText(12.4, 'ns'), '+12 ns');
  assert.equal(addedText(-0.3, 'ns'), '0 ns');
  assert.equal(addedText(-7, 'ns'), '-7 ns');
  assert.equal(addedText(23_400, 'ns'), '+23 us');
  assert.equal(addedText(5, 'instructions'), '+5');
  assert.equal(durationText(86.2, 'ns'), '86 ns');
  assert.equal(durationText(6800, 'ns'), '6.8 us');
  assert.equal(durationText(752_000, 'instructions'), '752,000');
  assert.equal(inUnit(1.4, 'x'), 'x1.40');
  assert.equal(inUnit(-0.04, '%'), '0.0 %');
});

test('the table has a row for each loop that was run, and a column for each configuration that was', () => {
  const lines = reportOf([results]).split('\n');
  const row = lines.find((line) => line.startsWith('| getppid |'));
  assert.equal(row, '| getppid | 1.0 us | x1.00 ±0.01 (0 ns) | x1.14 ±0.02 (+140 ns) |');
  assert.equal(lines.filter((line) => line.startsWith('| page fault |')).length, 0);
});

test('a goal that is missed says by how much, in the table', () => {
  const row = reportOf([results])
    .split('\n')
    .find((line) => line.startsWith('| the reader of maps itself'));
  assert.match(row ?? '', /\| at most 5\.0 % \| 8\.0 % \(8\.0 % to 8\.0 %\).*\| \*\*missed by 3\.0 %\*\*/);
});

test('a goal for every loop names all that miss it', () => {
  const guest = resultsWith(
    { watch: { getppid: [1, 1, 1], stat: [1.07, 1.07, 1.07], maps: [1.03, 1.03, 1.03] } },
    { name: '6.12', unit: 'instructions' },
  );
  const row = reportOf([guest])
    .split('\n')
    .find((line) => line.startsWith('| with function probes'));
  assert.match(row ?? '', /7\.0 % to 7\.0 %\) \(read of \/proc\/PID\/stat.*\*\*missed by 6\.0 %\*\*/);
  assert.match(row ?? '', /; over it, too: open, read and close of maps with 2,000 VMAs 3\.0 %:/);
});

test('what was not measured is listed with its reason, on one line', () => {
  assert.match(
    reportOf([results]),
    /^- Not measured on host: `perf lock record -a`: perf is not installed$/m,
  );
});

test('the report goes between its marks, however often', () => {
  const readme = 'Before\n<!-- bench:cost -->\nold\n<!-- /bench:cost -->\nAfter\n';
  const once = insertReport(readme, 'new');
  assert.equal(once, 'Before\n<!-- bench:cost -->\nnew\n<!-- /bench:cost -->\nAfter\n');
  assert.equal(insertReport(once, 'new'), once);
  for (const text of ['', '<!-- bench:cost -->', '<!-- /bench:cost --><!-- bench:cost -->', readme + readme])
    assert.throws(() => insertReport(text, 'new'), /there must be one/);
});

test('results of a place take the place of older ones; the host comes first, kernels in order', () => {
  const of = (name: string, rounds: number) => ({ ...results, rounds, place: { ...results.place, name } });
  const merged = merge([of('7.2', 1), of('host', 1), of('6.12', 1)], [of('6.12', 2)]);
  assert.deepEqual(
    merged.map(({ place, rounds }) => [place.name, rounds]),
    [
      ['host', 1],
      ['6.12', 2],
      ['7.2', 1],
    ],
  );
});

test('the picture is well-formed, stays within its frame and reaches for nothing outside it', () => {
  const svg = pictureOf(results);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 860 \d+"/);
  assert.doesNotMatch(
    svg.replace('http://www.w3.org/2000/svg', ''),
    /https?:|url\(|<script|@import|NaN|Infinity/,
  );
  const open: string[] = [];
  for (const [, closing, name, own] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (closing) assert.equal(open.pop(), name);
    else if (!own) open.push(name ?? '');
  }
  assert.deepEqual(open, []);
  for (const [, x] of svg.matchAll(/ c?x[12]?="([\d.-]+)"/g))
    assert.ok(Number(x) >= 0 && Number(x) <= 860, x);
});

test('arguments: defaults, quick, choices, and errors that name the flag', () => {
  const usual = parseBenchArguments([], 'host');
  assert.equal(usual.rounds, 10);
  assert.deepEqual(usual.configs, hostConfigs);
  const quick = parseBenchArguments(
    ['--quick', '--rounds', '3', '--configs', 'watch,perf', '--loops', 'mmap'],
    'host',
  );
  assert.deepEqual([quick.rounds, quick.milliseconds, quick.loops], [3, 40, ['mmap']]);
  assert.deepEqual(
    quick.configs.map(({ name }) => name),
    ['watch', 'perf'],
  );
  assert.throws(
    () => parseBenchArguments(['--configs', 'wacth'], 'host'),
    /--configs: there is no "wacth"; name some of/,
  );
  assert.throws(() => parseBenchArguments(['--rounds', '0'], 'host'), /--rounds: "0" is no whole number/);
  assert.throws(() => parseBenchArguments(['--round', '3'], 'host'), /--round/);
});
