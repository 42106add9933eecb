import { execa } from 'execa';
import { track } from './children.js';
import { watchLines } from './lines.js';

/** What each map held at the end, by its name, as bpftrace prints it in JSON. */
export type WitnessMaps = Readonly<Record<string, unknown>>;

export interface Witness {
  readonly pid: number;
  /**
   * Ends the program and returns its maps; those that stayed empty are missing or {}.
   * @throws if bpftrace failed or lost events
   */
  stop(): Promise<WitnessMaps>;
}

/**
 * Runs a bpftrace program of the test's own, which shares nothing with the daemon, as a second opinion.
 * Resolves once every probe is attached.
 * @param program its text; the names @witness_first and @witness_last are taken
 * @throws if it does not compile or attach; what bpftrace said is in the message
 */
export async function witness(program: string): Promise<Witness> {
  // bpftrace tells that it attaches, not that it has. It attaches in the order of the text or against it, so
  // when a probe at the top and one at the bottom have both fired, all between them are there.
  const text = `${beacon('first')}\n${program}\n${beacon('last')}`;
  const child = execa('bpftrace', ['-f', 'json', '-e', text], {
    stdin: 'ignore',
    buffer: false,
    // to name the functions of a stack takes its time
    forceKillAfterDelay: 60_000,
  });
  track(child);
  const out = watchLines(child.stdout, 'bpftrace');
  const said = watchLines(child.stderr, 'bpftrace');
  child.catch(() => {});
  try {
    await Promise.all([out.match(/"witness first/), out.match(/"witness last/)]);
  } catch (error) {
    throw new Error(`the witness did not attach:\n${said.seen.join('\n')}`, { cause: error });
  }
  return {
    pid: child.pid!,
    async stop() {
      // bpftrace 0.17 forgets a signal that comes while it handles an event.
      const again = setInterval(() => child.kill('SIGTERM'), 200);
      child.kill('SIGTERM');
      await child.finally(() => clearInterval(again));
      return collect(out.seen);
    },
  };
}

function beacon(place: 'first' | 'last'): string {
  const shown = `@witness_${place}`;
  return `interval:ms:20 /${shown} == 0/ { ${shown} = 1; printf("witness ${place}\\n"); }`;
}

/**
 * The maps that bpftrace printed when it ended.
 * @throws if it lost events
 */
export function collect(lines: readonly string[]): WitnessMaps {
  const maps: Record<string, unknown> = {};
  // From 0.24 on warnings of the compiler are there, too.
  for (const line of lines.filter((text) => text.startsWith('{'))) {
    const { type, data } = JSON.parse(line) as { type: string; data: Record<string, unknown> };
    if (type === 'lost_events') throw new Error(`the witness lost events: ${line}`);
    if (type === 'map' || type === 'hist' || type === 'stats') Object.assign(maps, data);
  }
  delete maps['@witness_first'];
  delete maps['@witness_last'];
  return maps;
}
