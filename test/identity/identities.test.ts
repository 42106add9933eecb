import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type CgroupIdentity, parseCgroupPath } from '../../src/identity/cgroup-path.js';
import { Identities, type IdentitiesOptions } from '../../src/identity/identities.js';

const directory = mkdtempSync(join(tmpdir(), 'mmaplockd-identities-'));
after(() => rmSync(directory, { recursive: true }));

const legacy = '1:name=systemd:/\n0::/\n';
const unified = '0::/\n';
const inService = (unit: string): string => `1:name=systemd:/system.slice/${unit}\n0::/\n`;

let roots = 0;

/** A host made of files, and its clock. */
class Host {
  readonly root = join(directory, String(++roots));
  now = 5000;
  readonly byId = new Map<bigint, CgroupIdentity>();
  readonly identities: Identities;

  constructor(self: string, options: Partial<IdentitiesOptions> = {}, pidNamespace = 4026531836) {
    mkdirSync(join(this.root, 'self', 'ns'), { recursive: true });
    writeFileSync(join(this.root, 'self', 'cgroup'), self);
    symlinkSync(`pid:[${pidNamespace}]`, join(this.root, 'self', 'ns', 'pid'));
    const cgroups = { resolve: (id: bigint) => this.byId.get(id) };
    this.identities = new Identities({ now: () => this.now, cgroups, root: this.root, ...options });
  }

  runs(pid: number, comm: string, cgroup: string, start = pid * 100): void {
    const at = join(this.root, String(pid));
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'comm'), `${comm}\n`);
    writeFileSync(join(at, 'cgroup'), cgroup);
    writeFileSync(
      join(at, 'stat'),
      `${pid} (${comm}) S 1 ${pid} ${pid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0`,
    );
  }

  ends(pid: number): void {
    rmSync(join(this.root, String(pid)), { recursive: true });
  }

  unit(name: string | undefined, pid?: number, cgroupId = '1'): string | undefined {
    return this.identities.resolve({ cgroupId, name, pid }).cgroup?.unit;
  }
}

describe('where cgroup v2 alone is in use', () => {
  test('the cgroup id tells it, and no process is looked at', () => {
    const host = new Host(unified, { looksPerSecond: 1 });
    host.byId.set(7n, parseCgroupPath('/system.slice/a.service'));
    host.runs(10, 'a', '0::/system.slice/moved.service\n');
    host.runs(11, 'b', '0::/system.slice/b.service\n');
    assert.equal(host.unit('a', 10, '7'), 'a.service');
    assert.equal(host.unit('b', 11, '8'), 'b.service', 'the one look of this second is still to be had');
  });

  test('an id that is not known yet is told by the process', () => {
    const host = new Host(unified);
    host.runs(10, 'a', '0::/system.slice/a.service\n');
    assert.equal(host.unit('a', 10, '9'), 'a.service');
  });
});

describe('where cgroup v1 is in use', () => {
  test('the process tells it before the cgroup id does', () => {
    const host = new Host(legacy);
    host.byId.set(7n, parseCgroupPath('/system.slice/containerd.service'));
    const id = 'ab'.repeat(32);
    host.runs(10, 'java', `4:memory:/docker/${id}\n0::/system.slice/containerd.service\n`);
    const found = host.identities.resolve({ cgroupId: '7', name: 'java', pid: 10 });
    assert.equal(found.cgroup?.containerId, id);
    assert.equal(found.comm, 'java');
  });

  test('a process that is gone before it was looked at keeps its name, and what its cgroup id tells', () => {
    const host = new Host(legacy);
    host.byId.set(7n, parseCgroupPath('/system.slice/cron.service'));
    assert.deepEqual(host.identities.resolve({ cgroupId: '7', name: 'ps', pid: 99 }), {
      comm: 'ps',
      cgroup: parseCgroupPath('/system.slice/cron.service'),
    });
    assert.deepEqual(host.identities.resolve({ cgroupId: '1', name: 'ps', pid: 99 }), {
      comm: 'ps',
      cgroup: undefined,
    });
  });

  test('one that was looked at in time is known when it is gone', () => {
    const host = new Host(legacy);
    host.runs(10, 'ps', inService('agent.service'));
    assert.equal(host.unit('ps', 10), 'agent.service');
    host.ends(10);
    host.now += 3_600_000;
    assert.equal(host.unit('ps', 10), 'agent.service');
  });

  test('a pid that is used again is not believed: another name', () => {
    const host = new Host(legacy);
    host.runs(10, 'sshd', inService('ssh.service'));
    assert.equal(host.unit('ps', 10), undefined);
    assert.equal(host.unit('sshd', 10), 'ssh.service');
  });

  test('a pid that is used again by a process of the same name is told by its start', () => {
    const host = new Host(legacy);
    host.runs(10, 'java', inService('a.service'), 1000);
    assert.equal(host.unit('java', 10), 'a.service');
    host.runs(10, 'java', inService('b.service'), 2000);
    host.now += 60_000;
    assert.equal(host.unit('java', 10), 'b.service');
  });

  test('a process has every name it was found under, as long as it is the same process', () => {
    const host = new Host(legacy);
    host.runs(10, 'sh', inService('cron.service'), 1000);
    assert.equal(host.unit('sh', 10), 'cron.service');
    host.runs(10, 'backup', inService('cron.service'), 1000);
    host.now += 10_000;
    assert.equal(host.unit('backup', 10), 'cron.service');
    assert.equal(host.unit('sh', 10), 'cron.service');
    host.runs(10, 'sshd', inService('ssh.service'), 2000);
    host.now += 60_000;
    assert.equal(host.unit('sshd', 10), 'ssh.service');
  });

  test('a process that was moved is found again after a minute', () => {
    const host = new Host(legacy);
    host.runs(10, 'a', inService('before.service'));
    assert.equal(host.unit('a', 10), 'before.service');
    host.runs(10, 'a', inService('after.service'));
    assert.equal(host.unit('a', 10), 'before.service');
    host.now += 60_000;
    assert.equal(host.unit('a', 10), 'after.service');
  });

  test('who was not found is looked for again after 10 s, not before', () => {
    const host = new Host(legacy);
    assert.equal(host.unit('late', 10), undefined);
    host.runs(10, 'late', inService('late.service'));
    host.now += 9_999;
    assert.equal(host.unit('late', 10), undefined);
    host.now += 1;
    assert.equal(host.unit('late', 10), 'late.service');
  });

  test('no more processes are looked at in a second than allowed; the rest later', () => {
    const host = new Host(legacy, { looksPerSecond: 2 });
    for (const pid of [10, 11, 12]) host.runs(pid, `p${pid}`, inService(`${pid}.service`));
    const units = () => [10, 11, 12].map((pid) => host.unit(`p${pid}`, pid));
    assert.deepEqual(units(), ['10.service', '11.service', undefined]);
    host.now += 1000;
    assert.deepEqual(units(), ['10.service', '11.service', '12.service']);
  });

  test('a name without a pid is told by the processes of that name in that cgroup', () => {
    const host = new Host(legacy);
    host.runs(10, 'mysqld', inService('mysql.service'));
    assert.equal(host.unit('mysqld'), undefined);
    host.unit('mysqld', 10);
    assert.equal(host.unit('mysqld'), 'mysql.service');
    assert.equal(host.unit('mysqld', undefined, '2'), undefined, 'another cgroup');
  });

  test('a name that two services share tells neither, until one has gone', () => {
    const host = new Host(legacy);
    host.runs(10, 'java', inService('a.service'));
    host.runs(11, 'java', inService('b.service'));
    assert.deepEqual([host.unit('java', 10), host.unit('java', 11)], ['a.service', 'b.service']);
    assert.equal(host.unit('java'), undefined);
    host.now += 60_000;
    host.unit('java', 11);
    assert.equal(host.unit('java'), 'b.service');
  });

  test('a process whose name was not seen is named as long as it lives', () => {
    const host = new Host(legacy);
    host.runs(10, 'cron', inService('cron.service'));
    assert.deepEqual(
      [host.identities.resolve({ cgroupId: '1', pid: 10 }).comm, host.unit(undefined, 10)],
      ['cron', 'cron.service'],
    );
    assert.deepEqual(host.identities.resolve({ cgroupId: '0', pid: 77 }), {
      comm: undefined,
      cgroup: undefined,
    });
  });

  test('what is remembered is bounded: who was asked for longest ago is forgotten first', () => {
    const host = new Host(legacy, { maxEntries: 2, looksPerSecond: 3 });
    for (const pid of [10, 11, 12]) host.runs(pid, `p${pid}`, inService(`${pid}.service`));
    for (const pid of [10, 11, 12]) host.unit(`p${pid}`, pid);
    assert.equal(host.unit('p12', 12), '12.service');
    assert.equal(host.unit('p10', 10), undefined, 'forgotten, and no look left in this second');
  });

  test('a process that cannot be read is unknown, and does no harm', () => {
    const host = new Host(legacy);
    mkdirSync(join(host.root, '10', 'stat'), { recursive: true });
    assert.equal(host.unit('a', 10), undefined);
  });
});

test('pids of another namespace are not looked up', () => {
  const host = new Host(legacy, {}, 4026532000);
  host.runs(10, 'a', inService('wrong.service'));
  assert.equal(host.unit('a', 10), undefined);
});
