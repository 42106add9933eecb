/** The daemon killed at 20 random moments of its life. */
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { lacking } from '../../live/support/host.js';
import { killDaemons } from '../support/kills/daemon-kills.js';

afterEach(killLeftovers);

test(
  '20 times of 20, no process of a killed daemon is left 2 s later',
  { skip: lacking('root', 'tracing', 'bpftrace') },
  (t) => killDaemons(t, { starting: 8, observing: 8, inspecting: 4 }),
);
