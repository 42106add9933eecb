/** What a script prints in a guest. The guest adds a line of its own, with the exit code. */
const exitLine = /^\{"exit":(\d+)\}$/;

/** Takes line after line and prints those of the script. */
export const scriptOutput = (print) => {
  let status;
  // The guest breaks the line before its own, and cannot know whether the script has done so.
  let held = false;
  return {
    take(line) {
      status = line.match(exitLine)?.[1] ?? status;
      if (status !== undefined) return;
      if (held) print('');
      held = line === '';
      if (!held) print(line);
    },
    /** The exit code of the script, or undefined where it never ended. */
    status: () => (status === undefined ? undefined : Number(status)),
  };
};
