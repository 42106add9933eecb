/** The second import of main.ts, so that it holds before the other modules are loaded. */
import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the space for young objects at the 1 MiB a half with which V8 starts. V8 would double it while the kernel's
 * symbols and the first ticks are read, up to 16 MiB a half, and hardly ever gives that back: 20 MB that a daemon with
 * some 100 KB of garbage a second has no use for. --max-semi-space-size is only heeded on the command line of Node,
 * where the package has it.
 * (V8 11.3 to 13.6: Heap::ConfigureHeap, NewSpace::Grow.)
 */
setFlagsFromString('--semi-space-growth-factor=1');

/**
 * Has V8 collect old garbage once it is a third as much as what is kept. By itself it waits for three to four times as
 * much: under 10,000 names of readers the daemon kept 29 MB, and took 230 MB of the host for them. (V8 11.3 to 13.6:
 * MemoryController::MaxGrowingFactor, DynamicGrowingFactor.)
 */
setFlagsFromString('--heap-growing-percent=33');
