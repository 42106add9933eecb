/**
 * A program: the application of the daemon, with its ledger at the caps, on a free port that it tells on stdout. Its
 * argument is the time between ticks in milliseconds. It ends with its stdin.
 */

import { settings } from '../../../../src/config/settings.js';
import { buildApp } from '../../../../src/http/app.js';
import { createLog } from '../../../../src/log/log.js';
import { FakeDaemon } from '../../../support/daemon.js';
import { crowdedTick } from './crowd.js';

const interval = Number(process.argv[2]);
const slots = ['process_slots', 'reader_slots', 'block_slots'].map((key): [string, unknown] => {
  const { path, schema } = settings.get(`metrics.${key}`)!;
  return [path, schema.maximum];
});
const daemon = new FakeDaemon({ flags: Object.fromEntries(slots) });
daemon.apply({ kind: 'tracer_started', at: daemon.now });
let ticks = 0;
const next = (): void => {
  ticks += 1;
  daemon.now += 1000;
  daemon.apply(crowdedTick(daemon.now, ticks));
};
next();
next();
setInterval(next, interval);
const log = createLog({ ...daemon.config.log, level: 'error' });
const app = await buildApp(daemon.view, log, { host: '127.0.0.1', scope: 'everything' });
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
