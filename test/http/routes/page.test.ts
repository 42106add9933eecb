import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MmaplockError } from '../../../src/errors.js';
import { openApp } from '../../support/app.js';
import { epoch } from '../../support/daemon.js';
import { tick } from '../../support/records.js';
import { quietDaemon, silentDaemon } from '../../support/scenes.js';

/** A stream has no end, so only its head is asked for. */
const methodFor = (link: string) => (link === '/api/v1/stream' ? 'HEAD' : 'GET');

const hrefs = (html: string): string[] =>
  Array.from(html.matchAll(/<a href="(\/[^"]*)"/g), ([, href]) => href as string);

test('/ is a page whose policy lets in what the daemon serves, and nothing else', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  const page = await ask('/');
  assert.equal(page.statusCode, 200);
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  const policy = String(page.headers['content-security-policy']);
  assert.match(policy, /^default-src 'none'; script-src 'self'; /);
  assert.doesNotMatch(policy, /unsafe|https?:|data:|\*/);
  assert.doesNotMatch(
    page.body,
    /<script>|\son\w+=|style=|https?:/,
    'nothing within the page needs an exception',
  );
});

test('what the page consists of comes from the daemon, with a tag, and is small', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  const page = await ask('/');
  const parts = Array.from(
    page.body.matchAll(/(?:src|href)="(\/\w+\.(?:js|css|svg))"/g),
    ([, path]) => path as string,
  );
  assert.deepEqual(parts.sort(), ['/icon.svg', '/page.css', '/page.js']);
  let bytes = page.body.length;
  for (const part of parts) {
    const answer = await ask(part);
    assert.equal(answer.statusCode, 200, part);
    bytes += answer.rawPayload.length;
    const again = await ask(part, { headers: { 'if-none-match': String(answer.headers.etag) } });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
  }
  assert.ok(bytes > 20_000 && bytes < 150_000, `${bytes} bytes`);
});

test('/ links to every route, and every link answers', async (context) => {
  const { ask } = await openApp(context, quietDaemon());
  const links = hrefs((await ask('/')).body);
  const { paths } = (await ask('/openapi.json')).json<{ paths: Record<string, object> }>();
  // What has an id in its path is reached from its list; a link asks by GET.
  const routes = Object.keys(paths).filter((path) => !path.includes('{') && 'get' in paths[path]!);
  assert.deepEqual([...links].sort(), [...routes, '/openapi.json'].sort());
  for (const link of links)
    assert.equal((await ask(link, { method: methodFor(link) })).statusCode, 200, link);
});

test('without a script the page says what there is to say, and escapes what others wrote', async (context) => {
  const quiet = await openApp(context, quietDaemon().apply(tick(epoch + 5000)));
  assert.match((await quiet.ask('/')).body, /Nobody waited for an mmap_lock/);
  const hostile = `<script>alert("1")</script>&'<img src=x onerror=alert(1)> {{version}}`;
  const error = new MmaplockError('program_rejected', hostile, { fix: hostile });
  const daemon = silentDaemon({
    tracer: { phase: 'waiting', since: epoch, error },
    kernel: { release: hostile },
  });
  const { ask } = await openApp(context, daemon);
  const { body } = await ask('/');
  assert.doesNotMatch(body, /<script>|<img/);
  const escaped = '&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;&#60;img';
  assert.equal(body.split(escaped).length - 1, 2, 'release and reason are there as text');
});
