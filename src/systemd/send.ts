/**
 * Says something to systemd, by a child `systemd-notify` for each message: Node has no datagrams on unix sockets, and
 * an addon would have to be built for each version of it. A child costs 3 ms of CPU, and one is sent every 40 s. A shell
 * that stays and waits for lines would start the same child, and be one more process that may die unnoticed.
 *
 * systemd tells whose message it is by the pid of its sender, which must still live. systemd-notify (246 and later) waits
 * until its message was read, and gives its parent as the sender where it may (CAP_SYS_ADMIN), else itself: hence
 * NotifyAccess=all in the unit.
 */
import { execa } from 'execa';
import { MmaplockError } from '../errors.js';
import { printable } from '../text/printable.js';

/**
 * Says all of these `VARIABLE=VALUE` in one message, in the order of calls.
 * Rejects with an MmaplockError `notify_failed`.
 */
export type Send = (assignments: readonly string[]) => Promise<void>;

/** systemd-notify itself waits 5 s for systemd. */
const timeoutMilliseconds = 8000;

/** @param options.path PATH, on which systemd-notify is looked up */
export const createSend = (options: { readonly socket: string; readonly path: string | undefined }): Send => {
  const env = { PATH: options.path, NOTIFY_SOCKET: options.socket };
  let before: Promise<unknown> = Promise.resolve();
  return (assignments) => {
    const sent = before.then(() => sendOne(assignments, env));
    before = sent.catch(() => {});
    return sent;
  };
};

const sendOne = async (assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> => {
  const result = await execa('systemd-notify', ['--', ...assignments], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    timeout: timeoutMilliseconds,
    killSignal: 'SIGKILL',
    maxBuffer: 4096,
  });
  if (!result.failed) return;
  const why = result.timedOut
    ? `no answer in ${timeoutMilliseconds / 1000} s`
    : result.stderr || (result.originalMessage ?? result.shortMessage ?? 'it could not be started');
  throw new MmaplockError('notify_failed', `systemd-notify: ${printable(why)}`, { cause: result });
};
