/** So many readers of one read each that one in ten thousand not counted shows. */
import { afterEach, test } from 'node:test';
import { killLeftovers } from '../../live/support/children.js';
import { lacking } from '../../live/support/host.js';
import { crowdsOfReaders } from '../support/crowds/reader-crowds.js';

afterEach(killLeftovers);

test(
  '20,000 readers that each live for one read, from 8 parents at once: exact',
  {
    skip: lacking('root', 'tracing', 'bpftrace'),
  },
  (t) => crowdsOfReaders(t, 2500),
);
