import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { IncidentLedger } from '../../src/ledger/incidents/incidents.js';
import { createLog } from '../../src/log/log.js';
import { openIncidentStore } from '../../src/store/incident-store.js';
import { fullIncident, plain } from './incidents.js';

const root = mkdtempSync(join(tmpdir(), 'mmaplockd-store-'));
after(() => rmSync(root, { recursive: true }));

let made = 0;
const freshDirectory = (): string => join(root, String(++made));

interface Said {
  readonly read?: number;
  readonly truncated?: number;
  readonly unknown_version?: number;
  readonly first?: string;
  readonly err?: { readonly code: string; readonly field: string };
}

const open = async (directory: string, keep = 200) => {
  const said: Said[] = [];
  const stream = { write: (line: string) => said.push(JSON.parse(line) as Said) };
  const log = createLog({ level: 'info', format: 'json', stream });
  const flags = { 'incidents.directory': directory, 'incidents.keep': keep };
  const store = await openIncidentStore(loadConfig({ flags }).incidents, log, {
    now: () => Date.UTC(2025, 5, 1),
    timeOfDay: (at) => at,
  });
  return { store, said };
};

const ids = (incidents: readonly { readonly id: string }[]): string[] => incidents.map(({ id }) => id);

test('incidents outlive the daemon, oldest first', async () => {
  const directory = freshDirectory();
  const { store, said } = await open(directory);
  assert.deepEqual([store.restored, said], [[], []], 'nothing to say of an empty directory');
  for (const id of ['0001-1', '0002-1', '0003-1']) store.keep(fullIncident(id));
  await store.flush();
  const { store: next, said: saidNext } = await open(directory);
  assert.deepEqual(plain(next.restored), plain(['0001-1', '0002-1', '0003-1'].map((id) => fullIncident(id))));
  assert.equal(saidNext[0]?.read, 3);
});

test('no more come back than are kept in memory: the newest', async () => {
  const directory = freshDirectory();
  const { store } = await open(directory);
  for (let n = 10; n < 25; n += 1) store.keep(fullIncident(`00${n}-1`));
  await store.flush();
  const { store: next } = await open(directory, 10);
  assert.deepEqual(
    ids(next.restored),
    ids(Array.from({ length: 10 }, (_, index) => ({ id: `00${15 + index}-1` }))),
  );
});

test('an incident that was open when the daemon ended comes back closed, and says that it was cut off', async () => {
  const directory = freshDirectory();
  const { store } = await open(directory);
  const cutOff = fullIncident('0001-1', { closedAt: undefined });
  store.keep(cutOff);
  store.keep(fullIncident('0002-1', { closedAt: undefined }));
  store.keep(fullIncident('0002-1'));
  await store.flush();
  const ledger = new IncidentLedger();
  ledger.restore((await open(directory)).store.restored);
  const [first, second] = ledger.list();
  assert.deepEqual([first?.closedAt, first?.interrupted, first?.ongoing], [cutOff.lastAt, true, []]);
  assert.deepEqual([second?.closedAt, second?.interrupted], [fullIncident('0002-1').closedAt, false]);
});

test('a truncated last line loses only that line, with a warning that names it', async () => {
  const directory = freshDirectory();
  const { store } = await open(directory);
  for (const id of ['0001-1', '0002-1']) store.keep(fullIncident(id));
  await store.flush();
  const [name] = readdirSync(directory) as [string];
  appendFileSync(join(directory, name), JSON.stringify({ v: 1, ...fullIncident('0003-1') }).slice(0, 200));
  const { store: next, said } = await open(directory);
  assert.deepEqual(ids(next.restored), ['0001-1', '0002-1']);
  assert.deepEqual([said.length, said[0]?.truncated, said[0]?.first], [1, 1, `${name}:3`]);
  next.keep(fullIncident('0004-1'));
  await next.flush();
  assert.deepEqual(ids((await open(directory)).store.restored), ['0001-1', '0002-1', '0004-1']);
});

test('incidents of a later format are left out, counted, and not touched', async () => {
  const directory = freshDirectory();
  const { store } = await open(directory);
  store.keep(fullIncident('0001-1'));
  await store.flush();
  const [name] = readdirSync(directory) as [string];
  appendFileSync(join(directory, name), '{"v":2,"everything":"else"}\n');
  const { store: next, said } = await open(directory);
  assert.deepEqual(ids(next.restored), ['0001-1']);
  assert.equal(said[0]?.unknown_version, 1);
});

test('a directory that cannot be used is told once, with its code and setting; the daemon goes on', async () => {
  const file = freshDirectory();
  writeFileSync(file, '');
  const { store, said } = await open(file);
  store.keep(fullIncident('0001-1'));
  await store.flush();
  assert.deepEqual(store.restored, []);
  assert.deepEqual(store.losses, { notWritten: 2, lost: 0 }, 'to read it failed, and to write');
  assert.equal(said.length, 1, JSON.stringify(said));
  assert.deepEqual(
    [said[0]?.err?.code, said[0]?.err?.field],
    ['incidents_unwritable', 'incidents.directory'],
  );
});

test('without a directory nothing is kept, and nothing is lost', async () => {
  const { store, said } = await open('');
  store.keep(fullIncident('0001-1'));
  await store.flush();
  assert.deepEqual([store.restored, said], [[], []]);
});
