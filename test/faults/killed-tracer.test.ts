/** bpftrace killed under load, also while it starts; test/faults/long kills it 50 times. */
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { killTracers } from './support/kills/tracer-kills.js';

afterEach(killLeftovers);

test(
  'bpftrace killed 5 times at random moments under load',
  {
    skip: lacking('root', 'tracing', 'bpftrace'),
  },
  (t) => killTracers(t, { kills: 5, gapsToBare: 1 }),
);
