import type { Clock } from '../clock.js';
import type { Log } from '../log/log.js';
import { takeNotifyEnvironment } from './environment.js';
import { createManager, type Manager } from './manager.js';
import { createSend } from './send.js';

/** Where systemd does not listen. */
const noManager: Manager = { ready: () => {}, stopping: async () => {} };

/** What started this process and wants to hear of it: systemd, or nobody. Takes what it says from the environment. */
export const managerFor = (
  { env, pid }: { readonly env: NodeJS.ProcessEnv; readonly pid: number },
  clock: Clock,
  log: Log,
): Manager => {
  const told = takeNotifyEnvironment(env, pid);
  if (told === undefined) return noManager;
  const send = createSend({ socket: told.socket, path: env.PATH });
  return createManager({ watchdogMilliseconds: told.watchdogMilliseconds, send, clock, log });
};
