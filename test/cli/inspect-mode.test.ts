import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectModeLine, inspectModeOf } from '../../src/cli/inspect-mode.js';
import type { Inspection } from '../../src/probes/inspection.js';
import { fragmentOf } from '../probes/fake.js';

const here: Inspection = {
  chosen: [{ fragment: fragmentOf('holds'), constants: new Map() }],
  reason: undefined,
};
const lacking: Inspection = {
  chosen: [],
  reason: { code: 'kernel_lacks_tracepoint', detail: 'this kernel has no tracepoint a:b' },
};

test('where it can be switched on, what it runs is told', () => {
  const mode = inspectModeOf(here, { works: true });
  assert.deepEqual(mode, { available: true, fragments: ['holds'] });
  assert.equal(inspectModeLine(mode), 'Inspect mode (a second tracer, for seconds): available, not tried');
});

test('where not, why not: what the kernel lacks, or what is wrong with bpftrace', () => {
  const mode = inspectModeOf(lacking, { works: true });
  assert.deepEqual(mode, {
    available: false,
    code: 'kernel_lacks_tracepoint',
    detail: 'this kernel has no tracepoint a:b',
  });
  assert.match(
    inspectModeLine(mode),
    /: not available: kernel_lacks_tracepoint: this kernel has no tracepoint a:b$/,
  );
  const broken = { works: false, code: 'bpftrace_missing', message: 'there is no bpftrace' } as const;
  for (const inspection of [here, lacking])
    assert.deepEqual(inspectModeOf(inspection, broken), {
      available: false,
      code: 'bpftrace_missing',
      detail: 'there is no bpftrace',
    });
});
