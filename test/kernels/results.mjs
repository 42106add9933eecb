/** Collects what the tests of one guest report, line by line; see guest/report.ts for what there is. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createParts } from './parts.mjs';

/** Of a remark that says that a time or a ratio was missed, and is tried again: see test/support/timing.ts. */
const retriedMark = 'retried: ';

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
  const results = { passed: 0, failures: [], skips: [], figures: [], notes: [], retried: 0, facts: {} };
  const parts = createParts();
  let now = { seconds: 0, waited: 0 };
  let done = false;

  for (const file of readdirSync(logs)) if (file.startsWith(`${name}.`)) rmSync(join(logs, file));

  const sayNow = (text) => say(`${Math.round(now.seconds)} s: ${text}`);

  const fail = (test, detail) => {
    results.failures.push({ name: test, detail });
    sayNow(`failed: ${test}${detail ? `: ${detail}` : ''}`);
  };

  const note = (text) => {
    results.notes.push(text);
    if (text.startsWith(retriedMark)) results.retried += 1;
    sayNow(`note: ${text}`);
  };

  const takeRecord = (record) => {
    if ('ok' in record) {
      if (!record.ok) fail(record.name, record.detail);
      else {
        results.passed += 1;
        sayNow(`ok: ${record.name}`);
      }
    } else if ('skip' in record) results.skips.push({ name: record.skip, reason: record.reason });
    else if ('figure' in record) results.figures.push({ name: record.figure, value: record.value });
    else if ('fact' in record) results.facts[record.fact] = record.value;
    else if ('note' in record) note(record.note);
    else if ('part' in record) parts.enter(record.part, now);
    else if ('log' in record) writeFileSync(join(logs, `${name}.${basename(record.file)}`), record.log);
    else if ('done' in record) done = true;
    else note(`a record of no known kind: ${JSON.stringify(record)}`);
  };

  return Object.assign(results, {
    note,

    begin: (at) => parts.enter('init and node', at),

    /** By part, in the order in which they came. */
    parts: () => parts.totals(),

    /** @param at seconds since the emulator was started, and those in which it waited for a CPU */
    take(line, at = now) {
      now = at;
      const record = parse(line);
      if (record === undefined) note(`not a record: ${line}`);
      else takeRecord(record);
    },

    /** What the end of the guest says: it must have come after that of the tests. */
    end({ began, trouble, starts, at }) {
      now = at;
      parts.enter('end', at);
      if (starts > 1) note(`started ${starts} times, for it did not reach its init at first`);
      if (!began) fail('the kernel boots', trouble ?? 'the guest went off before its init');
      else if (!done) fail('the tests run to their end', trouble ?? 'the guest went off');
      else if (trouble !== undefined) note(`after the tests: ${trouble}`);
      if (done && results.passed + results.failures.length === 0) fail('there are tests', 'none was run');
    },
  });
};
