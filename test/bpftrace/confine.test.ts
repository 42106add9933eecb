import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execa } from 'execa';
import { confinement, confinementFrom, type Situation } from '../../src/bpftrace/confine.js';

const statusOf = (mask: string): string =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t${mask}\nCapEff:\t${mask}\nCapBnd:\t${mask}\n`;

const everything: Situation = { status: statusOf('000001ffffffffff'), paranoia: 2, kernelTypes: false };
const allOf = (change: Partial<Situation>): string => confinementFrom({ ...everything, ...change }).join(' ');

const start = '--no-new-privs --inh-caps=-all';
const without = `${start} --bounding-set=-all,+cap_24,+cap_34,+cap_38,+cap_39`;
const withAdmin = `${start} --bounding-set=-all,+cap_21,+cap_24,+cap_34,+cap_38,+cap_39`;

test('of all capabilities four are left', () => {
  assert.equal(allOf({}), without);
  assert.equal(allOf({ paranoia: -1 }), without);
});

test('CAP_SYS_ADMIN is the fifth where bpftrace looks up types, or the kernel of a distribution asks for it', () => {
  assert.equal(allOf({ kernelTypes: true }), withAdmin);
  assert.equal(allOf({ paranoia: 3 }), withAdmin);
  assert.equal(allOf({ paranoia: 4 }), withAdmin);
  assert.equal(allOf({ paranoia: undefined }), withAdmin);
});

test('none is named that this process may not hand on, as on a kernel that does not know it', () => {
  const before58 = statusOf('0000003fffffffff');
  assert.equal(allOf({ status: before58 }), `${start} --bounding-set=-all,+cap_21,+cap_24,+cap_34`);
});

test('without CAP_SETPCAP the bounds stay as they are, or setpriv would start nothing', () => {
  assert.equal(allOf({ status: statusOf('000000c400280004') }), start);
  assert.equal(allOf({ status: 'nonsense' }), start);
});

for (const kernelTypes of [false, true])
  test(`the setpriv of this host takes it, and what it starts has no more (types: ${kernelTypes})`, async () => {
    const asked = confinement(kernelTypes);
    const { stdout } = await execa('setpriv', [...asked, 'cat', '/proc/self/status']);
    assert.match(stdout, /^NoNewPrivs:\s*1$/m);
    assert.match(stdout, /^CapInh:\s*0+$/m);
    const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(stdout)?.[1]}`);
    // sys_admin, sys_resource, syslog, perfmon, bpf
    if (asked.some((argument) => argument.startsWith('--bounding-set=')))
      assert.equal(held & ~0xc4_0120_0000n, 0n, `CapEff ${held.toString(16)}`);
  });
