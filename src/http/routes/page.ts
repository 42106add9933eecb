/** The page at /, and what it consists of: read once, served from memory. */
import { createHash } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { hostSentenceOf } from '../../api/host-state.js';
import type { DaemonView } from '../../api/view.js';
import { type PageFile, readPage } from './page-files.js';

const hidden = { schema: { hide: true } };

/** The text of a page says what is known already, for those without scripts. */
export const fillPage = (html: string, texts: Readonly<Record<string, string>>): string =>
  html.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => escapeHtml(texts[name] ?? ''));

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export const pageRoutes =
  (view: DaemonView): FastifyPluginAsync =>
  async (app) => {
    const { html, files } = readPage();
    app.get('/', hidden, async (_, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .header('cache-control', 'no-cache')
        .send(
          fillPage(html, {
            sentence: hostSentenceOf(view),
            version: view.version,
            kernel: view.kernel.release,
          }),
        ),
    );
    for (const { path, type, text } of files.map(withTag)) {
      const { tag } = text;
      app.get(path, hidden, async (request, reply) => {
        reply.header('etag', tag).header('cache-control', 'no-cache');
        if (request.headers['if-none-match'] === tag) return reply.code(304).send();
        return reply.type(type).send(text.body);
      });
    }
  };

const withTag = ({ path, type, text }: PageFile) => ({
  path,
  type,
  text: { body: text, tag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` },
});
