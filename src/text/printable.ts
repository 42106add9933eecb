/**
 * Text of others (process names, flags, file contents) made safe to print on one line.
 *
 * Control characters could forge log lines or drive a terminal; format characters (bidirectional marks) could
 * make a line read as another.
 */

const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const shortForms: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `text` with every control, format and line-separating character and lone surrogate written as an escape. */
export const printable = (text: string): string =>
  text.replace(unsafe, (char) => shortForms[char] ?? `\\u{${char.codePointAt(0)!.toString(16)}}`);

/** `text` in double quotes, escaped, and cut after `longest` UTF-16 units: to show in an error message. */
export const quoted = (text: string, longest = 120): string => {
  const cut = text.length > longest ? `${text.slice(0, longest)}...` : text;
  return `"${printable(cut.replace(/["\\]/g, '\\$&'))}"`;
};
