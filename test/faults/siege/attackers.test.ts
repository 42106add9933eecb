import { afterEach, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { lacking } from '../../live/support/host.js';
import { besiege } from '../support/siege.js';

afterEach(killLeftovers);

const seconds = 10;

test(
  `under 16 attackers for ${seconds} s it serves who behaves, and counts all`,
  { skip: lacking('root', 'tracing', 'bpftrace') },
  (t) => besiege(t, seconds),
);
