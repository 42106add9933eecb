/**
 * A host on which nothing stays, in virtual time: each tick has processes, readers, victims, cgroups and incidents of
 * names that were never there before, and clients come and go. All that keeps something of it is the daemon's own.
 */
import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { type ClientRequest, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { liveColumnOf } from '../../src/api/host-state.js';
import type { DaemonView } from '../../src/api/view.js';
import { decodeLine } from '../../src/bpftrace/decode/lines.js';
import { StderrTail } from '../../src/bpftrace/process/stderr.js';
import { Wire } from '../../src/bpftrace/records/tick.js';
import { createEffects } from '../../src/daemon/apply.js';
import { compose } from '../../src/daemon/compose.js';
import { BasicGuard } from '../../src/http/access/basic-auth.js';
import { buildApp } from '../../src/http/app.js';
import { CgroupIndex } from '../../src/identity/cgroup.js';
import { Identities } from '../../src/identity/identities.js';
import { readProcess } from '../../src/identity/process.js';
import { createLog } from '../../src/log/log.js';
import { createRepeatLimit } from '../../src/log/once.js';
import { openIncidentStore } from '../../src/store/incident-store.js';
import { dialectOf } from '../bpftrace/goldens.js';
import { HandClock } from '../bpftrace/hand-clock.js';
import { ChurnRecords } from './churn-records.js';
import { FakeDaemon } from './daemon.js';

const tickSeconds = 5;
/** The ledger asks for a new tracer no more often. */
const tracerSeconds = 600;
/** Minutes from one round of requests to the next; clients of the stream stay as long. */
const minutesOfClients = 2;
/** Processes found in /proc at once; those born before are gone. */
const living = 64;
/** Beyond PID_MAX_LIMIT of the kernel: in the /proc of this host there is none of them. */
const firstPid = 2 ** 22 + 1;
const units = 4;

const routes = [
  '/metrics',
  '/api/v1/waits',
  '/api/v1/processes?limit=100',
  '/api/v1/readers?sort=-reads_total',
  '/api/v1/blocks?since=5m',
  '/api/v1/incidents?limit=100',
  '/api/v1/history',
  '/api/v1/status',
  '/-/ready',
  '/api/v1/processes?limit=0',
  '/nothing/here',
];

/** A /proc in which processes are born and end. Hierarchies of cgroup v1 are in use, so everybody is looked at. */
const makeProc = (
  folder: string,
): { readonly root: string; readonly born: () => { pid: number; name: string } } => {
  const root = join(folder, 'proc');
  mkdirSync(join(root, 'self', 'ns'), { recursive: true });
  symlinkSync('pid:[4026531836]', join(root, 'self', 'ns', 'pid'));
  const membership = (unit: number): string => `1:name=systemd:/system.slice/unit-${unit}.service\n`;
  writeFileSync(join(root, 'self', 'cgroup'), membership(0));
  for (let unit = 0; unit < units; unit += 1) {
    const of = join(folder, `process-${unit}`);
    mkdirSync(of);
    writeFileSync(join(of, 'stat'), `1 (x) S 1 ${'0 '.repeat(17)}${unit} 0`);
    writeFileSync(join(of, 'comm'), `alive-${unit}\n`);
    writeFileSync(join(of, 'cgroup'), membership(unit));
  }
  let pid = firstPid;
  return {
    root,
    born: () => {
      pid += 1;
      symlinkSync(join(folder, `process-${pid % units}`), join(root, String(pid)));
      if (pid - living > firstPid) unlinkSync(join(root, String(pid - living)));
      return { pid, name: `alive-${pid % units}` };
    },
  };
};

export type VirtualHost = Awaited<ReturnType<typeof startVirtualHost>>;

/** @param folder an empty one of its own */
export const startVirtualHost = async (folder: string) => {
  const clock = new HandClock();
  const proc = makeProc(folder);
  const cgroupRoot = join(folder, 'cgroup');
  mkdirSync(cgroupRoot);
  const flags = {
    'incidents.directory': join(folder, 'incidents'),
    'incidents.directory_mib': 1,
    'metrics.watched_victims': ['alive-1'],
  };
  const { view: still, config } = new FakeDaemon({ flags });

  const log = createLog({ level: 'info', format: 'json', stream: { write: () => {} } });
  const say = createRepeatLimit({ minutes: 60, now: () => clock.monotonic() });
  const cgroups = new CgroupIndex({ now: () => clock.monotonic(), root: cgroupRoot });
  const identities = new Identities({ now: () => clock.monotonic(), cgroups, root: proc.root });
  const cgroup: DaemonView['cgroup'] = (cgroupId, process) =>
    identities.resolve({ cgroupId, ...process }).cgroup;
  const store = await openIncidentStore(config.incidents, log, clock);
  const { ledger, metrics, stream, view } = compose({
    ...{ config, clock, cgroup, version: '1.2.3', startedAt: clock.now() },
    host: () => ({
      kernel: still.kernel,
      plan: still.plan(),
      lockPaths: still.lockPaths(),
      problems: [],
    }),
    maps: ['waits', 'unknown'],
    ...{ tracer: still.tracer, cost: still.cost, budget: still.budget, inspector: still.inspector },
    incidentLosses: () => store.losses,
    processName: (pid) => readProcess(pid)?.comm,
  });
  const app = await buildApp(view, log, { host: '127.0.0.1', scope: 'everything' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const guard = new BasicGuard({
    users: () => new Map([['operator', 'a hash']]),
    now: () => clock.monotonic(),
    compare: async (password) => password.startsWith('right'),
  });
  const apply = createEffects({
    ...{ config, log, clock, say, ledger, identities, store, stream, cgroup },
    inspector: still.inspector,
    plan: still.plan,
    goOn: (waits) => waits,
    onTick: () => metrics.invalidate(),
    liveColumn: () => liveColumnOf(view),
    restartTracer: () => {},
  });
  const wire = new Wire({ now: () => clock.now(), mapAt: () => undefined });
  const dialect = dialectOf('0.17.0');
  const said = new StderrTail();

  const ask = (route: string): Promise<void> =>
    new Promise((resolve, reject) => {
      get(url + route, { agent: false }, (answer) => {
        answer.resume().once('close', resolve);
      }).once('error', reject);
    });
  /** A client of the stream: one in two never reads. */
  const listen = (reads: boolean): Promise<ClientRequest> =>
    new Promise((resolve, reject) => {
      const request = get(`${url}/api/v1/stream?types=tick,incident,column`, { agent: false }, (answer) => {
        answer.on('error', () => {});
        if (reads) answer.resume();
        resolve(request);
      });
      request.once('error', reject);
    });

  const clients: ClientRequest[] = [];
  /** All clients of the stream go; what a server hears of that comes by their sockets. */
  const leave = async (): Promise<void> => {
    for (const client of clients.splice(0)) client.destroy();
    for (let look = 0; look < 500 && stream.listening > 0; look += 1) await pause(10);
  };

  const records = new ChurnRecords(proc.born);
  let ticks = 0;
  const tick = async (): Promise<void> => {
    ticks += 1;
    await clock.pass(tickSeconds);
    if ((ticks * tickSeconds) % tracerSeconds === 0) records.restart(clock.now()).forEach(apply);
    records.next(clock.now()).forEach(apply);
    // Of a stall whose last line was lost, and of a bpftrace that complains each time of something else.
    const half = { type: 'printf', data: `stalled-by ${ticks} 1 0 1 1 1 1\n` };
    wire.accept(decodeLine(JSON.stringify(half), dialect));
    said.push(`WARNING: number ${ticks}`);
    const credentials = Buffer.from(`operator:${ticks % 2 === 0 ? 'right' : 'wrong'} ${ticks}`).toString(
      'base64',
    );
    await guard.refusal(`Basic ${credentials}`, `10.${ticks >> 16}.${(ticks >> 8) & 255}.${ticks & 255}`);
  };

  records.restart(clock.now()).forEach(apply);
  return {
    /** All that keeps something of what came. */
    roots: {
      ledger,
      identities,
      cgroups,
      store,
      stream,
      metrics,
      app,
      guard,
      wire,
      said,
      say,
      effects: apply,
    },
    /** Some minutes go by. */
    pass: async (minutes: number): Promise<void> => {
      for (let minute = 0; minute < minutes; minute += 1) {
        const folderOfCgroup = join(cgroupRoot, `minute-${ticks}`);
        mkdirSync(folderOfCgroup);
        await cgroups.refresh();
        for (let second = 0; second < 60; second += tickSeconds) await tick();
        rmSync(folderOfCgroup, { recursive: true });
        await store.flush();
        if (minute % minutesOfClients !== 0) continue;
        await leave();
        for (const route of routes) await ask(route);
        clients.push(await listen(true), await listen(false));
      }
      await leave();
    },
    stop: async (): Promise<void> => {
      await leave();
      await store.flush();
      await app.close();
    },
  };
};
