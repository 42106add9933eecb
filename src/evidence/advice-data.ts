/**
 * What is known of readers that operators meet, and of kernels: data for advice.ts. Each line names where it was read.
 * To add a reader: its program as it is called (the kernel keeps 15 bytes of that), the files it reads, and the one
 * setting that ends it.
 */
import type { ProcFile } from '../vocabulary.js';

export interface KnownReader {
  /** Names of its program, whole. */
  readonly programs: readonly string[];
  readonly files: readonly ProcFile[];
  readonly text: string;
  /** Where this was read: project, and file, change or issue. */
  readonly source: string;
}

const smapsFiles: readonly ProcFile[] = ['smaps', 'smaps_rollup'];

export const knownReaders: readonly KnownReader[] = [
  {
    programs: ['process-exporter', 'prometheus-process-exporter'],
    files: smapsFiles,
    text: 'Start process-exporter with -gather-smaps=false: it is on by default, for proportional memory sizes alone.',
    source: 'ncabatoff/process-exporter, cmd/process-exporter/main.go; issues 246 and 360',
  },
  {
    programs: ['cadvisor'],
    files: ['clear_refs', 'smaps'],
    text:
      'Switch container_referenced_bytes of cadvisor off: keep referenced_memory out of -enable_metrics and in ' +
      '-disable_metrics, as it is by default. It clears referenced bits, and walks all of smaps.',
    source: 'google/cadvisor, container/factory.go and cmd/cadvisor_test.go; issues 3670 and 3679',
  },
  {
    programs: ['atop'],
    files: smapsFiles,
    text: 'Start atop without -R (and do not press R in it): only proportional memory sizes need smaps.',
    source: 'Atoptool/atop, man/atop.1; pull requests 54, 94 and 97',
  },
  {
    programs: ['telegraf'],
    files: smapsFiles,
    text:
      'Leave mmap out of the properties of [[inputs.procstat]] of telegraf: ' +
      'properties = ["cpu", "limits", "memory"].',
    source: 'influxdata/telegraf, plugins/inputs/procstat/sample.conf; issue 15295',
  },
  {
    programs: ['system-probe', 'security-agent'],
    files: ['smaps'],
    text:
      'Update the Datadog agent: activity dumps of Workload Protection read smaps until late 2025. Or set ' +
      'runtime_security_config.activity_dump.enabled to false in system-probe.yaml.',
    source: 'DataDog/datadog-agent, issue 41946, fixed by pull request 41950; pkg/security/config/config.go',
  },
  {
    programs: ['apps.plugin'],
    files: ['smaps_rollup'],
    text: 'Start apps.plugin of Netdata with --pss 0 (netdata.conf), which newer versions do by default.',
    source: 'netdata/netdata, pull requests 21199 and 21330',
  },
  {
    programs: ['htop'],
    files: smapsFiles,
    text: 'Take the columns PSS, SWAP and PSSWP out of htop (F2, Screens): they alone need smaps.',
    source: 'htop-dev/htop, issues 1712 and 1704',
  },
  {
    programs: ['htop'],
    files: ['maps'],
    text:
      'Switch the highlighting of removed programs and libraries off in htop (F2, Display options), and take out the ' +
      'column M_LRS: only these read maps.',
    source: 'htop-dev/htop, issue 1535; linux/LinuxProcessTable.c',
  },
  {
    programs: ['btop'],
    files: ['smaps'],
    text: 'Set proc_info_smaps = False in btop.conf, as it is by default.',
    source: 'aristocratos/btop, src/btop_config.cpp',
  },
  {
    programs: ['smem', 'ps_mem'],
    files: smapsFiles,
    text: 'This program does nothing but sum up smaps of every process: run it by hand, not on a timer.',
    source: 'rleon/smem, README',
  },
];

/**
 * The first kernel whose readers of a file do not hold mmap_lock for long; undefined where there is none yet (7.3).
 * Sources: fs/proc/task_mmu.c; the series "use per-vma locks for /proc/pid/maps reads" (6.17), "execute PROCMAP_QUERY
 * ioctl under per-vma lock" (6.18), commit ea3085dd7a4e (7.2).
 */
export const freeingKernel: Readonly<Record<ProcFile, string | undefined>> = {
  maps: '6.17',
  procmap_query: '6.18',
  smaps: '7.2',
  numa_maps: '7.2',
  smaps_rollup: undefined,
  pagemap: undefined,
  clear_refs: undefined,
  remote: undefined,
  map_files: undefined,
};
