/**
 * A reporter for `node --test`: one line of JSON for each test, so that totals need no parsing of a summary
 * meant for people (its shape differs between Node 20, 22 and 24).
 */
import { resolve } from 'node:path';

/** A skip or todo is its reason, or `true` where the author gave none. */
const reasonOf = (mark) => (typeof mark === 'string' && mark !== '' ? mark : 'no reason given');

/** What an assertion said, in one line: the place that lists failures at the end must be enough to go on. */
const complaintOf = (error) => {
  const said = error?.cause?.message ?? error?.message ?? String(error?.cause ?? error);
  return said.replaceAll(/\s+/g, ' ').slice(0, 800);
};

const outcomeOf = ({ type, data }) => {
  const isSuite = data.details?.type === 'suite';
  if (data.skip !== undefined) return { result: 'skipped', reason: reasonOf(data.skip) };
  if (data.todo !== undefined) return { result: 'skipped', reason: `todo: ${reasonOf(data.todo)}` };
  // A parent that failed through its subtests would count them twice.
  if (type === 'test:fail') {
    const error = data.details?.error;
    return error?.failureType === 'subtestsFailed'
      ? undefined
      : { result: 'failed', reason: `${data.name}: ${complaintOf(error)}` };
  }
  // The runner reports a file as a test of its own only when no test in it did.
  if (resolve(data.name) === data.file) return { result: 'failed', reason: 'the file holds no test' };
  return isSuite ? undefined : { result: 'passed' };
};

/** What test/support/timing.ts prints of a time that was missed, and is tried again. */
const retriedMark = 'retried: ';

export default async function* testEvents(source) {
  for await (const event of source) {
    if (event.type === 'test:diagnostic' && event.data.message.startsWith(retriedMark)) {
      const { file, message } = event.data;
      yield `${JSON.stringify({ file, result: 'retried', reason: message.slice(retriedMark.length) })}\n`;
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const outcome = outcomeOf(event);
    if (outcome === undefined) continue;
    const { file, name } = event.data;
    yield `${JSON.stringify({ file, name, ...outcome })}\n`;
  }
}
