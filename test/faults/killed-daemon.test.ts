/** The daemon killed while it starts, observes and inspects; test/faults/long does so 20 times. */
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { killDaemons } from './support/kills/daemon-kills.js';

afterEach(killLeftovers);

test(
  'of 4 killed daemons no process is left 2 s later',
  { skip: lacking('root', 'tracing', 'bpftrace') },
  (t) => killDaemons(t, { starting: 2, observing: 1, inspecting: 1 }),
);
