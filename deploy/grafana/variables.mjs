/** What the user picks at the top of a dashboard. */
import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource } from './panels/target.mjs';
import { inClusters, inFleet, onHost } from './selectors.mjs';

const all = { selected: true, text: ['All'], value: ['$__all'] };

/** The values of a label of one metric; they follow the time range. */
const labelOf = (name, title, metric) =>
  new QueryVariableBuilder(name)
    .label(title)
    .datasource(datasource)
    .query({ qryType: 1, query: `label_values(${metric}, ${name})`, refId: name })
    .definition(`label_values(${metric}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc);

const several = (variable, allValue) => {
  variable.multi(true).includeAll(true).current(all);
  return allValue === undefined ? variable : variable.allValue(allValue);
};

const source = new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');

const cluster = several(labelOf('cluster', 'Cluster', 'mmaplock_build_info'), '.*');

/** All is the list of jobs that run mmaplockd, for `up` and the like have every job. */
const job = several(labelOf('job', 'Job', `mmaplock_build_info{${inClusters}}`));

const instance = labelOf('instance', 'Host', `mmaplock_build_info{${inFleet}}`);

const file = several(labelOf('file', 'File', `mmaplock_proc_file_lock_path_info{${inFleet}}`), '.+');

const process = several(labelOf('process', 'Process', `mmaplock_process_waits_total{${onHost}}`), '.+');

const reader = (where) => several(labelOf('reader', 'Reader', `mmaplock_reader_reads_total{${where}}`), '.+');

/** Sums by name look back so far, whatever the time range: what they cost is bounded. */
const window = new CustomVariableBuilder('window')
  .label('Sums over')
  .values('15m,1h,6h,1d')
  .current({ selected: true, text: '1h', value: '1h' });

export const fleetVariables = [source, cluster, job, file, reader(inFleet), window];
export const hostVariables = [source, cluster, job, instance, process, reader(onHost), window];
