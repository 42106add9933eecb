/** Members of JSON are in snake_case, ours are not. */

/** A copy of an object with its own member names (not those below) in snake_case. */
export const snakeCase = (object: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object).map(([key, value]) => [
      key.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
      value,
    ]),
  );
