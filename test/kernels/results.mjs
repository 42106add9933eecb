/** Collects what the tests of one guest report, line by line; see guest/report.ts for what there is. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const parse = (line) => {
  try {
    const record = JSON.parse(line);
    return typeof record === 'object' && record !== null ? record : undefined;
  } catch {
    return undefined;
  }
};

/**
 * @param name of the kernel
 * @param logs the folder for files that the guest reports
 * @param say prints what a person watches for
 */
export const createResults = ({ name, logs, say }) => {
  const results = { passed: 0, failures: [], skips: [], figures: [], notes: [], facts: {} };
  let done = false;

  for (const file of readdirSync(logs)) if (file.startsWith(`${name}.`)) rmSync(join(logs, file));

  const fail = (test, detail) => {
    results.failures.push({ name: test, detail });
    say(`failed: ${test}${detail ? `: ${detail}` : ''}`);
  };

  const note = (text) => {
    results.notes.push(text);
    say(`note: ${text}`);
  };

  const takeRecord = (record) => {
    if ('ok' in record) {
      if (!record.ok) fail(record.name, record.detail);
      else {
        results.passed += 1;
        say(`ok: ${record.name}`);
      }
    } else if ('skip' in record) results.skips.push({ name: record.skip, reason: record.reason });
    else if ('figure' in record) results.figures.push({ name: record.figure, value: record.value });
    else if ('fact' in record) results.facts[record.fact] = record.value;
    else if ('note' in record) note(record.note);
    else if ('log' in record) writeFileSync(join(logs, `${name}.${basename(record.file)}`), record.log);
    else if ('done' in record) done = true;
    else note(`a record of no known kind: ${JSON.stringify(record)}`);
  };

  return Object.assign(results, {
    note,

    take(line) {
      const record = parse(line);
      if (record === undefined) note(`not a record: ${line}`);
      else takeRecord(record);
    },

    /** What the end of the guest says: it must have come after that of the tests. */
    end({ began, trouble, starts }) {
      if (starts > 1) note(`started ${starts} times, for it did not reach its init at first`);
      if (!began) fail('the kernel boots', trouble ?? 'the guest went off before its init');
      else if (!done) fail('the tests run to their end', trouble ?? 'the guest went off');
      else if (trouble !== undefined) note(`after the tests: ${trouble}`);
      if (done && results.passed + results.failures.length === 0) fail('there are tests', 'none was run');
    },
  });
};
