/** The configuration without its secrets. */

export const removed = '(removed)';

/** Words in the name of a key, or in a path, that tell of a secret: too much removed does less harm than too little. */
const secret = /token|passw|passphrase|secret|credential|key|\.pem\b/i;

/** `https://user:password@host`. */
const login = /:\/\/[^/\s@]*@/;

/**
 * A copy in which `(removed)` stands for what a key named after a token, password, secret or key holds, for paths to
 * such files and for addresses with a login. Numbers, switches and what is empty are no secrets: `map_keys` stays.
 */
export const withoutSecrets = (value: unknown, name = ''): unknown => {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return value;
  if (value === '') return value;
  if (secret.test(name)) return removed;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, name));
  if (typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, withoutSecrets(member, key)]),
    );
  const text = String(value);
  return login.test(text) || (text.includes('/') && secret.test(text)) ? removed : text;
};
