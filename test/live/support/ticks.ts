/** Ticks of a tracer, where no daemon can be asked for them. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './patience.js';

/** bpftrace writes a tick in one go or in some, and is silent for the rest of its second. */
const milliseconds = 300;

const writtenBy = async (pid: number): Promise<number> =>
  Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);

/** Resolves once a tracer has written so many ticks. What happened before the first of them is in it or in the second. */
export const ticksOf = async (pid: number, count: number): Promise<void> => {
  for (let tick = 0; tick < count; tick += 1) {
    const before = await writtenBy(pid);
    await eventually('a tick', async () => ((await writtenBy(pid)) > before ? true : undefined));
    await sleep(milliseconds);
  }
};
