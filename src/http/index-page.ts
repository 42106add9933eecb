/** The page at /: what this is, whether it observes, and where to look. */
import type { DaemonView } from './context.js';

const links: readonly (readonly [string, string])[] = [
  ['/metrics', 'metrics for Prometheus'],
  ['/api/v1/waits', 'waits by mode and operation, and those still going on'],
  ['/api/v1/processes', 'who waits, by process and cgroup'],
  ['/api/v1/readers', 'who reads maps, smaps and the like, how often, and whose'],
  ['/api/v1/blocks', 'which reader made whom wait, and for how long'],
  ['/api/v1/incidents', 'long stalls: who stalled whom, for how long, and what else waited'],
  ['/api/v1/stream', 'ticks and incidents as they happen: server-sent events'],
  ['/api/v1/status', 'kernel, probes and why, tracer, cost'],
  ['/-/ready', 'whether this host is observed; if not, why'],
  ['/-/healthy', 'whether the daemon lives'],
  ['/openapi.json', 'the API, described'],
];

/** Known by its digest to the Content-Security-Policy. */
export const pageStyle =
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}dt{font-family:ui-monospace,monospace}dd{margin:0 0 .6rem}';

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export const indexPage = (view: DaemonView): string => {
  const { ready, problems } = view.readiness();
  const state = ready
    ? 'Waits for mmap_lock are observed on this host.'
    : 'Nothing is observed on this host right now.';
  const reasons = problems.map(
    ({ code, message, fix }) =>
      `<li><code>${escapeHtml(code)}</code>: ${escapeHtml(message)}. ${escapeHtml(fix)}</li>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>mmaplockd</title>
<style>${pageStyle}</style></head>
<body>
<h1>mmaplockd ${escapeHtml(view.version)}</h1>
<p>Who waits for mmap_lock on this host, in which mode, doing what. Linux ${escapeHtml(view.kernel.release)}.</p>
<p><strong>${state}</strong></p>
${reasons.length === 0 ? '' : `<ul>${reasons.join('')}</ul>`}
<dl>${links.map(([path, what]) => `<dt><a href="${path}">${path}</a></dt><dd>${what}</dd>`).join('')}</dl>
</body></html>
`;
};
