/** What the log says of what the daemon found out when it started. */
import type { Log } from '../log/log.js';
import { type Findings, nothingFound } from '../probes/findings.js';
import { behaviourOf } from '../probes/lock-path/behaviour.js';
import type { LockPathEvidence } from '../probes/lock-path/evidence.js';
import { registersUnproven } from '../probes/refused-by-host.js';

const untried = 'how this kernel serves the proc files could not be tried out, only its BTF and symbols tell';

/**
 * Says what is new in it.
 * @param contradicted files that this kernel serves otherwise than its BTF and symbols say
 */
export const tellFindings = (
  before: Findings,
  found: Findings,
  contradicted: readonly LockPathEvidence[],
  log: Log,
): void => {
  const { reads, addresses, registers, processIds, miscounting } = found;
  log.debug(
    { reads, addresses: addresses.size, registers, processIds },
    'how this kernel serves the proc files was tried out',
  );
  const tried = reads.length > 0 || found.untried !== undefined;
  if (before === nothingFound && tried && behaviourOf(reads).size === 0)
    log.info(found.untried === undefined ? {} : { reason: found.untried }, untried);
  if (registers === 'wrong' && before.registers !== 'wrong') log.error({}, registersUnproven.detail);
  for (const [source, told] of miscounting)
    if (!before.miscounting.has(source)) log.error({ source, told }, 'a source of reads does not count them');
  for (const settled of contradicted)
    log.warn(settled, 'this kernel serves a proc file otherwise than its BTF and symbols say');
};
