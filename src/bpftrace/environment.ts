/** What a bpftrace of ours has in its environment. */

/** An environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment for a bpftrace of ours: without NOTIFY_SOCKET, to which bpftrace from 0.21 on would report
 * itself ready and stopping in our name.
 */
export const childEnvironment = (env: Environment): Environment => {
  const { NOTIFY_SOCKET: _, ...rest } = env;
  return rest;
};
