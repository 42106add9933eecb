/** The committed dashboards, and the modules that make them: what their tests share. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../src/package-root.js';
import { loadModule } from '../../support/modules.js';

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: unknown;
  readonly targets?: readonly { readonly expr: string; readonly datasource?: unknown }[];
  readonly options?: { readonly legend?: { readonly showLegend?: boolean } };
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string; readonly noValue?: string };
    readonly overrides: readonly {
      readonly matcher: { readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly refresh: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly allValue?: string }[] };
  readonly annotations: { readonly list: readonly unknown[] };
  readonly links: readonly { readonly url: string; readonly includeVars: boolean }[];
}

export interface Query {
  readonly of: 'panel' | 'annotation' | 'variable';
  readonly name: string;
  readonly expr: string;
  readonly instant: boolean;
  readonly legend: string;
}

const grafana = path.join(packageRoot, 'deploy/grafana');

export const textOf = (file: string): string => readFileSync(path.join(grafana, file), 'utf8');

/** By name of the file. */
export const committed: ReadonlyMap<string, Dashboard> = new Map(
  ['fleet.json', 'host.json'].map((file) => [file, JSON.parse(textOf(`dashboards/${file}`)) as Dashboard]),
);

export const { dashboards } = loadModule('deploy/grafana/generate.mjs') as {
  dashboards: () => Map<string, string>;
};

export const { queriesOf, substitute } = loadModule('deploy/grafana/queries.mjs') as {
  queriesOf: (dashboard: Dashboard, values?: Readonly<Record<string, string>>) => Query[];
  substitute: (text: string, values: Readonly<Record<string, string>>) => string;
};
