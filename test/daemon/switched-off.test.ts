/** `--probes.allow none`: the daemon lives, and starts no bpftrace, neither does `check`. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { checkJson, examine } from '../../src/cli/check/check.js';
import { systemClock } from '../../src/clock.js';
import { loadConfig } from '../../src/config/load.js';
import { startDaemon } from '../../src/daemon/start.js';
import { createLog } from '../../src/log/log.js';
import { observables } from '../../src/vocabulary.js';
import { samplesOf, valueIn } from '../support/exposition.js';

const directory = mkdtempSync(path.join(tmpdir(), 'mmaplockd-off-'));
after(() => rmSync(directory, { recursive: true }));

/** In place of bpftrace: leaves a mark where it is started, if only to ask for its version. */
const mark = path.join(directory, 'started');
const bpftrace = path.join(directory, 'bpftrace');
writeFileSync(bpftrace, `#!/bin/sh\ntouch ${mark}\necho bpftrace v0.17.0\n`, { mode: 0o755 });

const configOf = (allow: string) =>
  loadConfig({
    flags: {
      'bpftrace.path': bpftrace,
      'probes.allow': [allow],
      'web.listen_address': ['127.0.0.1:0'],
    },
  });

test('the daemon serves, is not ready on purpose, and starts nothing', async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const daemon = await startDaemon(
    configOf('none'),
    createLog({ level: 'info', format: 'json', stream }),
    systemClock,
  );
  try {
    const ask = (of: string) => fetch(new URL(of, daemon.urls[0]));
    const ready = await ask('/-/ready');
    assert.equal(ready.status, 503);
    const { problems } = (await ready.json()) as { problems: { code: string }[] };
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['probes_switched_off'],
    );
    assert.equal((await ask('/-/healthy')).status, 200);
    const text = await (await ask('/metrics')).text();
    assert.deepEqual(
      samplesOf(text, 'mmaplock_observable').map(({ labels, value }) => [labels.what, value]),
      observables.map((what) => [what, 0]),
    );
    assert.equal(valueIn(text, 'mmaplock_tracer_up'), 0);
    await assert.rejects(daemon.view.inspector.inspect(1), /probes\.allow none/);
  } finally {
    await daemon.stop();
  }
  assert.ok(!existsSync(mark), 'bpftrace was started');
  const said = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
  assert.deepEqual(
    said.map(({ level, msg }) => [level, msg]),
    [['warn', 'probes.allow is none: nothing is observed, and no bpftrace is started']],
  );
});

test('check says that it is blind by choice, and starts nothing either', async () => {
  const report = checkJson(await examine(configOf('none'), systemClock));
  assert.ok(!existsSync(mark), 'bpftrace was started');
  assert.equal(report.verdict, 'blind');
  assert.deepEqual(report.bpftrace, {
    works: false,
    code: 'probes_switched_off',
    message: 'not tried, for probes.allow is none',
    fix: report.bpftrace.works ? '' : report.bpftrace.fix,
  });
  for (const { what, reason } of report.observables) assert.equal(reason?.code, 'switched_off', what);
  assert.ok(report.fragments.every(({ chosen }) => !chosen));
});

test('the stand-in for bpftrace does leave its mark where it is started', async () => {
  await examine(configOf('kprobe'), systemClock);
  assert.ok(existsSync(mark));
});
