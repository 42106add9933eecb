/** Boots one kernel in an emulator, and reads what its guest writes. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitedForCpu } from './parts.mjs';
import { takeSlot } from './slot.mjs';

const second = 1000;
const minute = 60 * second;
const bootTime = 3 * minute;
const wholeTime = 30 * minute;

/** Tests that have not said a word for so long hang; how long all of them take depends on the host. */
const silentTime = 8 * minute;
const lookEvery = second / 5;

/** A guest that died before its init did so in the emulator. One that began is never started again. */
const attempts = 3;

/**
 * One thread for all virtual processors: with several, probes attached to a hot function crash the guest, for the
 * emulator races with the kernel that patches its own text.
 */
const emulate = ({
  name,
  root,
  payload,
  consoleLog,
  results,
  init = '/sbin/mmaplockd-guest',
  boot = '',
  emulator = [],
}) => [
  ...['-machine', 'q35', '-accel', 'tcg,thread=single', '-cpu', 'max', '-smp', '2', '-m', '2G'],
  ...['-display', 'none', '-monitor', 'none', '-nic', 'none', '-no-reboot'],
  ...emulator,
  ...['-drive', `file=${root.image},if=virtio,format=raw,snapshot=on`],
  ...['-drive', `file=${payload},if=virtio,format=raw,readonly=on`],
  ...['-serial', `file:${consoleLog}`, '-serial', `file:${results}`],
  ...['-kernel', root.kernel, ...(root.initrd === undefined ? [] : ['-initrd', root.initrd])],
  '-append',
  [
    `console=ttyS0 root=/dev/vda rw quiet init=${init} mitigations=off panic=-1`,
    `mmaplockd.kernel=${name}`,
    boot,
  ].join(' '),
];

/** Gives the whole lines that a file has gained since the last call. */
const follow = (file) => {
  let [offset, rest] = [0, Buffer.alloc(0)];
  return () => {
    const descriptor = openSync(file, 'r');
    try {
      const chunk = Buffer.alloc(1 << 20);
      for (;;) {
        const length = readSync(descriptor, chunk, 0, chunk.length, offset);
        if (length === 0) break;
        offset += length;
        rest = Buffer.concat([rest, chunk.subarray(0, length)]);
      }
    } finally {
      closeSync(descriptor);
    }
    const end = rest.lastIndexOf('\n') + 1;
    const lines = rest.subarray(0, end).toString().split('\n').slice(0, -1);
    rest = rest.subarray(end);
    return lines;
  };
};

const start = (options) => {
  for (const file of [options.consoleLog, options.results]) closeSync(openSync(file, 'w'));
  const log = openSync(options.emulatorLog, 'w');
  const command = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...emulate(options)];
  const emulator = spawn('setpriv', command, { stdio: ['ignore', log, log] });
  closeSync(log);
  return emulator;
};

const seconds = (milliseconds) => `${Math.round(milliseconds / second)} s`;

/** The schedstat of each thread of a process; none once it is gone. */
const schedstats = (pid) => {
  try {
    const folder = `/proc/${pid}/task`;
    return readdirSync(folder).map((thread) => readFileSync(`${folder}/${thread}/schedstat`, 'latin1'));
  } catch {
    return [];
  }
};

/** Gives how long an emulator has run, and how much of that it waited for a CPU; in the end what was seen last. */
const clockOf = (emulator) => {
  const since = performance.now();
  let waited = 0;
  return () => {
    waited = Math.max(waited, waitedForCpu(schedstats(emulator.pid)));
    return { seconds: (performance.now() - since) / second, waited };
  };
};

/** Why a guest is stopped, by how long ago it was started and spoke last; undefined while it may go on. */
const overdue = ({ began, passed, silent, isTest }) => {
  if (!began && passed > bootTime) return `stopped after ${seconds(passed)} without its init`;
  if (passed > wholeTime) return `stopped after ${seconds(passed)}`;
  if (isTest && silent > silentTime) return `stopped after ${seconds(silent)} without a word`;
  return undefined;
};

/**
 * Runs a guest to its end once.
 * @returns {Promise<{began: boolean, trouble?: string, at: object}>} whether it reached its init, what kept it from its
 *   end, and when that was
 */
const attempt = async (options) => {
  const emulator = start(options);
  const clock = clockOf(emulator);
  let ended;
  emulator.once('error', (error) => {
    ended ??= error.message;
  });
  emulator.once('close', (code, signal) => {
    ended ??= code ?? signal;
  });
  const readLines = follow(options.results);
  const since = performance.now();
  let [began, lastWord] = [false, since];
  const take = (line) => {
    lastWord = performance.now();
    if (began) options.onLine(line, clock());
    else if (line === '{"init":true}') {
      began = true;
      options.onInit?.(clock());
    }
  };
  let trouble;
  while (ended === undefined) {
    await sleep(lookEvery);
    for (const line of readLines()) take(line);
    if (trouble !== undefined) continue;
    const now = performance.now();
    trouble = overdue({ began, passed: now - since, silent: now - lastWord, isTest: options.isTest });
    if (trouble !== undefined) emulator.kill('SIGKILL');
  }
  for (const line of readLines()) take(line);
  if (trouble === undefined && ended !== 0)
    trouble = `the emulator ended with ${ended}: ${readFileSync(options.emulatorLog, 'utf8').trim()}`;
  rmSync(options.emulatorLog);
  return { began, trouble, at: clock() };
};

/**
 * Runs a guest once there is a CPU for it, started again while it does not reach its init.
 * @param options name, root, payload, further boot parameters, the init where it is not the one of the images, and further arguments of the emulator; the files consoleLog, results and emulatorLog; onInit for the moment in which it reaches its init, and onLine for each line it writes from there on, both with the seconds since the emulator was started (clockOf); isTest where that is a line for each test
 * @returns {Promise<{began: boolean, trouble?: string, at: object, starts: number, seconds: number}>}
 */
export const runGuest = async (options) => {
  const release = await takeSlot();
  const since = performance.now();
  try {
    for (let starts = 1; ; starts += 1) {
      const outcome = await attempt(options);
      if (outcome.began || starts === attempts)
        return { ...outcome, starts, seconds: (performance.now() - since) / second };
      renameSync(options.consoleLog, options.consoleLog.replace(/\.log$/, `.${starts}.log`));
    }
  } finally {
    release();
  }
};
