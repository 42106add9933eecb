/** All that the stream of the API sends, as it comes. */

export interface RawStream {
  /** What came so far. */
  text(): string;
  close(): void;
}

/** Opens it; resolves when the head of the answer is there. */
export const openRawStream = async (url: string): Promise<RawStream> => {
  const stop = new AbortController();
  const answer = await fetch(`${url}/api/v1/stream`, { signal: stop.signal });
  if (!answer.ok || answer.body === null) throw new Error(`the stream answers ${answer.status}`);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  (async () => {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>)
      text += decoder.decode(chunk, { stream: true });
  })().catch(() => {});
  return { text: () => text, close: () => stop.abort() };
};

/** Events of a type, parsed. Fails where one is no JSON. */
export const eventsOf = <T>(text: string, type: string): readonly T[] =>
  text
    .split('\n\n')
    .slice(0, -1)
    .filter((block) => block.split('\n').includes(`event: ${type}`))
    .map((block) => JSON.parse(block.replace(/^(?:(?!data: ).*\n)*data: /, '')) as T);
