/** The first import of main.ts. */

/**
 * At SIGUSR1 Node opens its inspector on a port of loopback: whoever can reach that runs what he likes in this process,
 * which is root. A listener takes the place of that (Node 20 to 24: libuv's handler replaces the one of
 * src/inspector_agent.cc). In the moment before this runs Node's own is there: --disable-sigusr1, which Node 22.14 and later
 * know, would be refused by Node 20.
 */
process.on('SIGUSR1', () => {});
