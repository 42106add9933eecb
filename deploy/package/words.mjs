/** Text of generated files. */

/** Breaks a text into lines of at most `width` characters, its longest words excepted. */
export const wrap = (text, width) => {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
};

/** A value as YAML: plain where every reader of YAML takes it for the same, in quotes elsewhere. */
export const yamlValue = (value) => {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(', ')}]`;
  if (typeof value !== 'string') return String(value);
  // YAML 1.1, which other tools read, takes on, off, yes and no for true and false.
  const plain = /^[a-z/][\w./-]*$/i.test(value) && !/^(on|off|yes|no|y|n|true|false|null)$/i.test(value);
  return plain ? value : JSON.stringify(value);
};
