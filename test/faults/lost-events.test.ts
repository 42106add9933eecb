/** Events are lost and told, and the counts are exact; test/faults/long stops the daemon as well. */
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../live/support/children.js';
import { lacking } from '../live/support/host.js';
import { stopTracer } from './support/lost-events.js';

afterEach(killLeftovers);

test(
  'bpftrace stands still, its buffer is full: what is lost is told, and the counts are exact',
  {
    skip: lacking('root', 'tracing', 'bpftrace'),
  },
  (t) => stopTracer(t, [7000]),
);
