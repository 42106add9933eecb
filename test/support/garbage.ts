/** A real garbage collection, so that what is measured after it is what is kept. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects all garbage of this process, at once. */
export const collectGarbage = runInNewContext('gc') as () => void;
