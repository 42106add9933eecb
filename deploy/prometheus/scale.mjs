/**
 * What a fleet costs a Prometheus, as a table: `node deploy/prometheus/scale.mjs`. Estimates: what a host exposes and the
 * rules record is counted by a test, what a series costs is what people who run Prometheus see.
 */
import { argv, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';

/** Series of one host. */
export const seriesOfHost = {
  /** A plain host, those of the process included; tested to be under 500. */
  typical: 450,
  /** Tested, with 10,000 hostile names and all slots at their largest. */
  most: 1500,
  /** Recorded by the rules for one host, every 30 s. Those of releases and clusters do not grow with the hosts. */
  recorded: 28,
};

const recordSeconds = 30;
const secondsOfDay = 86_400;
/** KiB of the head of a series, with its labels in the index: 3 to 4. */
const headKib = 4;
/** Bytes of a sample on disk: 1.5 to 2. */
const sampleBytes = 2;

/**
 * @param {number} hosts
 * @param {number} series of one host
 * @param {number} scrapeSeconds
 */
export const costOf = (hosts, series, scrapeSeconds) => {
  const { recorded } = seriesOfHost;
  const head = hosts * (series + recorded);
  const samples = (hosts * series) / scrapeSeconds + (hosts * recorded) / recordSeconds;
  return {
    series: head,
    samplesPerSecond: samples,
    headBytes: head * headKib * 1024,
    diskBytesPerDay: samples * secondsOfDay * sampleBytes,
  };
};

const rounded = (value) => Number(value.toPrecision(2));
const count = (value) => rounded(value).toLocaleString('en-US');
const bytes = (value) => {
  const exponent = Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${rounded(value / 1000 ** exponent)} ${['B', 'kB', 'MB', 'GB', 'TB'][exponent]}`;
};

/** The table, in Markdown. */
export const costTable = (sizes = [10, 1000, 50_000]) => {
  const { typical, most } = seriesOfHost;
  const rows = sizes.flatMap((hosts) =>
    [
      ['typical', typical, 15],
      ['typical', typical, 60],
      ['at the cap', most, 15],
    ].map(([load, series, seconds]) => {
      const cost = costOf(hosts, series, seconds);
      return [
        count(hosts),
        `${load}: ${count(series)}`,
        `${seconds} s`,
        count(cost.series),
        count(cost.samplesPerSecond),
        bytes(cost.headBytes),
        bytes(cost.diskBytesPerDay),
      ];
    }),
  );
  const head = [
    'hosts',
    'series a host',
    'scrape',
    'series',
    'samples/s',
    'memory of the head',
    'disk a day',
  ];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
};

if (argv[1] === fileURLToPath(import.meta.url)) stdout.write(costTable());
