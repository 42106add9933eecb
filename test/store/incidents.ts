import type { Incident } from '../../src/ledger/incidents/incident.js';

const at = Date.UTC(2025, 5, 1);

/** A closed incident with something in every member, for what is to be written and read again. */
export const fullIncident = (id: string, more: Partial<Incident> = {}): Incident => ({
  id,
  cause: 'wait',
  openedAt: at,
  lastAt: at + 180.5,
  closedAt: at + 10_180,
  victim: { name: 'mysqld', cgroupId: '4242', pid: 77, tid: 78 },
  readers: [
    {
      name: 'node-agent',
      cgroupId: '18446744073709551615',
      pid: 99,
      file: 'smaps',
      self: false,
      nanoseconds: 170e6,
      waits: 3,
      nice: 19,
      offCpuNanoseconds: 160e6,
    },
  ],
  others: { readers: 1, nanoseconds: 5e6 },
  files: [{ file: 'smaps', lockPath: 'mmap_lock', nanoseconds: 170e6 }],
  operations: [{ operation: 'munmap', count: 3, nanoseconds: 180e6 }],
  waits: { count: 3, nanoseconds: 180e6, longestNanoseconds: 150e6 },
  unknownNanoseconds: 5e6,
  ongoing: [{ tid: 78, operation: 'mmap', since: at + 100, nanoseconds: 80e6 }],
  blockedNanoseconds: 180e6,
  convoy: { count: 41, nanoseconds: 3e9, longestQueue: 41 },
  timeline: {
    stepMilliseconds: 1000,
    points: [{ at, blockedNanoseconds: 180e6, waits: 3, convoyWaits: 41 }],
  },
  evidence: 'windows',
  inspected: [{ name: 'node-agent', cgroupId: '1', pid: 99, tid: 99, file: 'smaps', nanoseconds: 165e6 }],
  stacks: [{ frames: ['rwsem_down_write_slowpath', 'down_write_killable'], count: 3 }],
  lookedFor: 'windows',
  interrupted: false,
  identities: {
    '4242': { unit: 'mysql.service', containerId: undefined, podUid: undefined },
    '7': { unit: undefined, containerId: 'ab'.repeat(32), podUid: undefined },
  },
  ...more,
});

/** As it is after JSON, which leaves out what is undefined. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
