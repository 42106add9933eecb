/** Nothing is kept of the dead: processes come and go around a program, and then every working map is empty. */
import { counted, goingOn, ofTheDead, startKeeper } from '../../live/support/kept.js';
import { runWorkload } from '../../live/support/workload.js';
import { timed } from './parts.js';
import { check, figure } from './report.js';

/** Under mmap_lock on every kernel. */
const file = ['--file', 'smaps_rollup'];

/** @param tier of its probes, for what is told; what is kept does not depend on how many there are */
export const nothingKept = async (tier: string, args: readonly string[]): Promise<void> => {
  const keeper = await timed(`${tier}: start of the keeper`, () => startKeeper(args));
  await timed(`${tier}: come and go`, async () => {
    const victim = await runWorkload('writers', ['--vmas', '100', '--seconds', '3600']);
    await victim.ready;
    const target = String(victim.pid);
    for (const what of [
      ['targets', '--count', '60'],
      ['killed', target, '--count', '40'],
      ['exec', target, '--count', '20'],
    ])
      await (await runWorkload('churn', [...what, ...file])).done;
    await victim.stop();
  });
  const kept = await timed(`${tier}: end of the keeper`, keeper.stop);
  const dead = ofTheDead(kept);
  check(`${tier}: nothing is kept of the dead`, Object.keys(dead).length === 0, JSON.stringify(dead));
  check(`${tier}: no wait that ended goes on`, goingOn(kept).length === 0, `${goingOn(kept).length} do`);
  const [waits, reads, blocks] = ['@waits', '@proc_reads', '@blocks'].map((map) => counted(kept, map));
  const told = `${waits} waits, ${reads} reads, ${blocks} blocks; ${kept.working.length} working maps`;
  check(`${tier}: there was something to keep`, Number(waits) > 100 && Number(reads) > 200, told);
  figure(`${tier}: come and go`, told);
};
