/** The unit, read as systemd reads it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/package-root.js';

export const unitPath = path.join(packageRoot, 'deploy/systemd/mmaplockd.service');
export const unitText = readFileSync(unitPath, 'utf8');

/** Every value of a setting, in order: some may be given more than once. */
export const settings = (name: string): string[] =>
  unitText
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`))
    .map((line) => line.slice(name.length + 1));

/** The value of a setting that is given once. */
export const setting = (name: string): string => {
  const [value, ...more] = settings(name);
  if (value === undefined || more.length > 0) throw new Error(`${name}= is given ${more.length + 1} times`);
  return value;
};

/** Seconds of a time such as `120s` or `10min`. */
export const seconds = (name: string): number => {
  const [, number, unit] = /^(\d+)(s|min)$/.exec(setting(name)) ?? [];
  return Number(number) * (unit === 'min' ? 60 : 1);
};
