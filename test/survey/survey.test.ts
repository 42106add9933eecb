import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.js';
import { surveyHost } from '../../src/survey/survey.js';

const surveyWith = (name: string) => surveyHost(loadConfig({ flags: { 'probes.disable': [name] } }));

test('a fragment that an earlier version had may be disabled still', async () => {
  const { plan } = await surveyWith('vma-rows');
  assert.ok(!plan.refused.some(({ fragment }) => fragment === 'vma-rows'));
});

test('a fragment that there never was is an error that names the setting', async () => {
  await assert.rejects(surveyWith('vma-row'), { code: 'invalid_config', field: 'probes.disable' });
});
