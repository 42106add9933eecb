/** Names that a process may give itself to disturb whoever shows them, and how each must come out. */

export interface HostileName {
  readonly what: string;
  readonly bytes: Buffer;
  /** Written out by hand, and not by the code that is tested. */
  readonly shown: string;
}

const text = (what: string, name: string, shown = name): HostileName => ({
  what,
  bytes: Buffer.from(name),
  shown,
});
const raw = (what: string, bytes: readonly number[], shown: string): HostileName => ({
  what,
  bytes: Buffer.from(bytes),
  shown,
});

/** All but the empty one, which no file has. */
export const hostileNames: readonly HostileName[] = [
  text('commas and equals signs', 'a,b=c,"d'),
  text('quotes and braces', `"'{x="y"}'`),
  text('a newline', 'a\n# TYPE b', 'a\\x0a# TYPE b'),
  text('a newline at the end, and a carriage return', 'end\r\n', 'end\\x0d\\x0a'),
  text('spaces around it', '  both ends  '),
  text('parentheses, as in /proc/PID/stat', 'x) S 1 (y'),
  text('a backslash at the end', 'c:\\dir\\'),
  text('a backslash that spells an escape', '\\x41\\n\\"', '\\x5cx41\\n\\"'),
  text('an escape sequence of a terminal', '\x1b[2J\x1b[31mred', '\\x1b[2J\\x1b[31mred'),
  text('bells, tabs and a delete', '\x07\t\x7f\x01', '\\x07\\x09\\x7f\\x01'),
  text('a control character of two bytes', '\u009b31mred', '\\xc2\\x9b31mred'),
  text('text that runs backwards', '\u202egnp.exe', '\\xe2\\x80\\xaegnp.exe'),
  text('markup', '<script>a(1)<'),
  text('a name of ours', '~other', '\\x7eother'),
  text('another name of ours', '~unknown', '\\x7eunknown'),
  text('a path of a member', '__proto__'),
  text('formats', '%s%n$(x)`id`'),
  raw('fifteen bytes of 0xff', Array(15).fill(0xff), '\\xff'.repeat(15)),
  raw('a character that is cut off', [0x61, 0xe6, 0x97], 'a\\xe6\\x97'),
  raw('a surrogate and an overlong slash', [0xed, 0xa0, 0x80, 0xc0, 0xaf], '\\xed\\xa0\\x80\\xc0\\xaf'),
];
