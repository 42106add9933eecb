/** The first import of main.ts. */

/**
 * At SIGUSR1 Node opens its inspector on a port of loopback: whoever can reach that runs what he likes in this process,
 * which is root. A listener takes the place of that (Node 20 to 24: libuv's handler replaces the one of
 * src/inspector_agent.cc). The package starts Node with --disable-sigusr1 as well, for the moment before this runs.
 */
process.on('SIGUSR1', () => {});
