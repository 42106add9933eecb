/**
 * How long images took to make, in seconds; 0 where nothing had to be made. They are made once on a machine, so the
 * time of a run is told without them.
 * @param make is given what prints a line, which it calls only where it makes one
 */
export const imageSeconds = async (make) => {
  const began = performance.now();
  let made = false;
  await make((line) => {
    made = true;
    process.stderr.write(`${line}\n`);
  });
  return made ? Math.round((performance.now() - began) / 1000) : 0;
};
