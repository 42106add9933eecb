/** Reads the Prometheus text format (version 0.0.4) strictly: what a server would refuse is an error here. */
import assert from 'node:assert/strict';

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Name and labels as they stand in the text: tells one series from another. */
  readonly series: string;
}

export interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ParsedSample[];
}

const escapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };
const label = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"/;
const sampleLine = new RegExp(
  `^([a-zA-Z_:][\\w:]*)(?:\\{(${label.source}(?:,${label.source})*)\\})? (\\S+)$`,
);

const parseSample = (line: string): ParsedSample => {
  const match = sampleLine.exec(line);
  assert.ok(match !== null, `not a sample: ${JSON.stringify(line)}`);
  const [, name = '', labelText = ''] = match;
  const labels = Array.from(labelText.matchAll(new RegExp(label, 'g')), ([, key = '', text = '']) => [
    key,
    text.replace(/\\[\\"n]/g, (found) => escapes[found] as string),
  ]);
  const text = match.at(-1) as string;
  const value = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
  return {
    name,
    labels: Object.fromEntries(labels) as Record<string, string>,
    value,
    series: line.slice(0, -text.length - 1),
  };
};

/** The families of a text in their order. Fails where a line, or a sample outside its family, is not allowed. */
export const parseExposition = (text: string): Map<string, ParsedFamily> => {
  assert.ok(text.endsWith('\n'), 'the last line ends with a line feed');
  const families = new Map<string, ParsedFamily & { samples: ParsedSample[] }>();
  const seen = new Set<string>();
  let help: readonly [string, string] | undefined;
  let current: (ParsedFamily & { samples: ParsedSample[] }) | undefined;
  for (const line of text.split('\n')) {
    const header = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (header?.[1] === 'HELP') {
      help = [header[2] as string, header[3] as string];
    } else if (header !== null) {
      const [, , name = '', type = ''] = header;
      assert.equal(help?.[0], name, `${name} has its help before its type`);
      assert.ok(!families.has(name), `${name} appears once`);
      current = { name, help: help?.[1] as string, type, samples: [] };
      families.set(name, current);
    } else if (line !== '') {
      const sample = parseSample(line);
      const suffix = sample.name.slice(current?.name.length);
      const allowed = current?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      assert.ok(
        sample.name.startsWith(current?.name ?? '\n') && allowed.includes(suffix),
        `misplaced: ${line}`,
      );
      assert.ok(!seen.has(sample.series), `${sample.series} appears once`);
      seen.add(sample.series);
      current?.samples.push(sample);
    }
  }
  return families;
};

/** Samples of one family whose labels include those given; none where the family is not there. */
export const samplesOf = (
  text: string,
  family: string,
  labels: Readonly<Record<string, string>> = {},
): readonly ParsedSample[] =>
  (parseExposition(text).get(family)?.samples ?? []).filter((sample) =>
    Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );

/** The value of the one sample that matches. */
export const valueIn = (
  text: string,
  family: string,
  labels: Readonly<Record<string, string>> = {},
): number => {
  const found = samplesOf(text, family, labels);
  assert.equal(found.length, 1, `${family} ${JSON.stringify(labels)}: one sample`);
  return found[0]!.value;
};

/** How many series a text has. */
export const seriesCount = (text: string): number =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
