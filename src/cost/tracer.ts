import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isGone, parseStat } from '../identity/process.js';

/** What one BPF program has cost since it was loaded. */
export interface ProgramCost {
  /** As in `bpftool prog show id`; fdinfo has no names. */
  readonly programId: number;
  /** Nanoseconds; 0 unless kernel.bpf_stats_enabled is (or was) on, as is runs. */
  readonly runNanoseconds: number;
  readonly runs: number;
  /** Events the kernel did not run the program for, since it would have recursed; 0 where it does not count: misses.ts. */
  readonly recursionMisses: number;
}

/** What a tracer uses at this moment. */
export interface TracerCost {
  /** User and system time since its start; the work of its BPF programs is not in it. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Memory of its BPF maps, as the kernel accounts it: it is in no process's resident memory. */
  readonly mapBytes: number;
  /** In the order of programId. */
  readonly programs: readonly ProgramCost[];
}

/** USER_HZ: 100 on every architecture bpftrace runs on. */
const ticksPerSecond = 100;

/** Reads what a process that holds BPF maps and programs costs; undefined when it is gone or a zombie. */
export function readTracerCost(pid: number, root = '/proc'): TracerCost | undefined {
  const directory = join(root, String(pid));
  try {
    const stat = parseStat(readFileSync(join(directory, 'stat'), 'latin1'));
    const resident = parseResident(readFileSync(join(directory, 'status'), 'latin1'));
    if (resident === undefined) return undefined;
    const { mapBytes, programs } = readBpfObjects(join(directory, 'fdinfo'));
    return {
      cpuSeconds: (Number(stat[14]) + Number(stat[15])) / ticksPerSecond,
      residentBytes: resident,
      mapBytes,
      programs,
    };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** VmRSS in bytes. Unlike statm it does not count in pages, whose size Node does not tell; a zombie has none. */
function parseResident(status: string): number | undefined {
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function readBpfObjects(fdinfo: string): { mapBytes: number; programs: ProgramCost[] } {
  // By id: several descriptors can refer to one object.
  const maps = new Map<number, number>();
  const programs = new Map<number, ProgramCost>();
  for (const descriptor of readdirSync(fdinfo)) {
    const text = readShort(`${fdinfo}/${descriptor}`);
    // A link to a program shows its prog_id as well, but only the program itself has a prog_type.
    if (text.includes('\nmap_type:')) {
      maps.set(field(text, 'map_id'), field(text, 'memlock'));
    } else if (text.includes('\nprog_type:')) {
      const programId = field(text, 'prog_id');
      programs.set(programId, {
        programId,
        runNanoseconds: field(text, 'run_time_ns'),
        runs: field(text, 'run_cnt'),
        recursionMisses: field(text, 'recursion_misses'),
      });
    }
  }
  return {
    mapBytes: [...maps.values()].reduce((sum, bytes) => sum + bytes, 0),
    programs: [...programs.values()].sort((a, b) => a.programId - b.programId),
  };
}

/** Over a hundred descriptors are read each time, which is the most that an idle daemon does: so into one buffer. */
const buffer = Buffer.allocUnsafe(4096);

/** What is in a file of fdinfo, after a newline; nothing when the descriptor was closed meanwhile. */
function readShort(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      return `\n${buffer.toString('latin1', 0, readSync(file, buffer))}`;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isGone(error)) return '';
    throw error;
  }
}

/** The number on a line `name:`, tab, number; 0 where there is none. */
function field(text: string, name: string): number {
  const start = text.indexOf(`\n${name}:\t`);
  return start === -1
    ? 0
    : Number.parseInt(text.slice(start + name.length + 3, start + name.length + 24), 10) || 0;
}
