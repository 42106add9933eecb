import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressOn, progressText } from '../../../src/cli/record/progress.js';
import { busyDaemon } from '../../support/scenes.js';

test('how far it is, and what was seen so far', () => {
  const { view } = busyDaemon();
  assert.match(
    progressText(view, 9.4, 30),
    /^\[######\.{14}\] 9 of 30 s: \d+ waits, 0\.\d{3} s behind readers$/,
  );
  assert.match(progressText(view, 30, 30), /^\[#{20}\] 30 of 30 s/);
});

test('on a terminal one line is written over itself, and taken away; elsewhere there is none', () => {
  const { view } = busyDaemon();
  const written = (isTTY: boolean): string => {
    const texts: string[] = [];
    const progress = progressOn({ isTTY, write: (text: unknown) => texts.push(String(text)) > 0 }, view, 30);
    progress.show(1);
    progress.show(1.2);
    progress.end();
    return texts.join('');
  };
  assert.match(written(true), /^\r\x1b\[K\[#[^\r]*\r\x1b\[K$/);
  assert.equal(written(false), '');
});
