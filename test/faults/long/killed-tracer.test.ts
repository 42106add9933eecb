/** bpftrace killed so often under load that what wears out shows: retries that run out, gaps that add up. */
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { lacking } from '../../live/support/host.js';
import { killTracers } from '../support/kills/tracer-kills.js';

afterEach(killLeftovers);

/** `FAULTS_KILLS` makes it fewer, for a try. */
const kills = Number(process.env.FAULTS_KILLS ?? 50);

test(
  `bpftrace killed ${kills} times at random moments under load`,
  {
    skip: lacking('root', 'tracing', 'bpftrace'),
  },
  (t) => killTracers(t, { kills, gapsToBare: 4 }),
);
