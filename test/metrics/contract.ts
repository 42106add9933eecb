/** What dashboards and alerts rely on: name, type and labels of each family. Only additions are allowed. */

export interface ContractRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Sorted; `le` of a histogram left out. */
  readonly labels: readonly string[];
}

const counter = (...labels: readonly string[]): ContractRow => ({ type: 'counter', labels });
const gauge = (...labels: readonly string[]): ContractRow => ({ type: 'gauge', labels });
const histogram = (...labels: readonly string[]): ContractRow => ({ type: 'histogram', labels });

export const contract: Readonly<Record<string, ContractRow>> = {
  // waits
  mmaplock_waits_total: counter('mode', 'operation'),
  mmaplock_wait_seconds_total: counter('mode', 'operation'),
  mmaplock_wait_duration_seconds: histogram('mode'),
  mmaplock_oldest_wait_seconds: gauge('mode'),
  mmaplock_process_waits_total: counter('mode', 'process'),
  mmaplock_process_wait_seconds_total: counter('mode', 'process'),
  // readers of proc files
  mmaplock_proc_opens_total: counter('file'),
  mmaplock_proc_reads_total: counter('file'),
  mmaplock_proc_read_retries_total: counter('file'),
  mmaplock_proc_read_fallbacks_total: counter('file'),
  mmaplock_proc_read_waits_total: counter('file'),
  mmaplock_proc_read_wait_seconds_total: counter('file'),
  mmaplock_reader_opens_total: counter('file', 'reader'),
  mmaplock_reader_reads_total: counter('file', 'reader'),
  mmaplock_reader_retries_total: counter('file', 'reader'),
  mmaplock_reader_fallbacks_total: counter('file', 'reader'),
  mmaplock_reader_waits_total: counter('file', 'reader'),
  mmaplock_reader_wait_seconds_total: counter('file', 'reader'),
  // blocks
  mmaplock_blocks_total: counter('file'),
  mmaplock_block_seconds_total: counter('file'),
  mmaplock_block_duration_seconds: histogram('file'),
  mmaplock_reader_blocks_total: counter('file', 'reader', 'victim'),
  mmaplock_reader_block_seconds_total: counter('file', 'reader', 'victim'),
  mmaplock_writers_blocked_time_seconds_total: counter('file'),
  mmaplock_watched_oldest_wait_seconds: gauge('victim'),
  mmaplock_watched_writers_blocked_time_seconds_total: counter('victim'),
  mmaplock_unblocked_waits_total: counter('mode'),
  mmaplock_unblocked_wait_seconds_total: counter('mode'),
  // VMA waits
  mmaplock_vma_waits_total: counter(),
  mmaplock_vma_wait_seconds_total: counter(),
  mmaplock_victim_vma_wait_seconds_total: counter('victim'),
  // convoys
  mmaplock_convoy_waits_total: counter(),
  mmaplock_convoy_wait_seconds_total: counter(),
  mmaplock_victim_convoy_wait_seconds_total: counter('victim'),
  // incidents
  mmaplock_incidents_total: counter('file'),
  mmaplock_incident_losses_total: counter('reason'),
  // how the kernel serves proc files
  mmaplock_proc_file_lock_path_info: gauge('file', 'path'),
  // how whole the observation is
  mmaplock_observable: gauge('what'),
  mmaplock_probe_run_seconds_total: counter(),
  mmaplock_probe_cost_ratio: gauge(),
  mmaplock_shed: gauge('what'),
  mmaplock_source_info: gauge('source', 'what'),
  mmaplock_tracer_up: gauge(),
  mmaplock_tracer_restarts_total: counter('reason'),
  mmaplock_blind_seconds_total: counter('reason'),
  mmaplock_last_tick_timestamp_seconds: gauge(),
  mmaplock_inspect_seconds_total: counter(),
  mmaplock_tracer_cpu_seconds_total: counter(),
  mmaplock_tracer_resident_memory_bytes: gauge(),
  mmaplock_tracer_map_memory_bytes: gauge(),
  mmaplock_lost_events_total: counter(),
  mmaplock_lost_updates_total: counter('reason'),
  mmaplock_stalls_suppressed_total: counter(),
  mmaplock_probe_misses_total: counter('probe'),
  mmaplock_map_overflows_total: counter('map'),
  mmaplock_decode_errors_total: counter(),
  mmaplock_series_folded_total: counter('family'),
  mmaplock_build_info: gauge('bpftrace', 'node', 'version'),
  mmaplock_kernel_info: gauge('release'),
};
