/** The version in messages, metrics and `--version`; a test holds it equal to package.json, so a bundle needs no file. */
export const version = '0.1.0';
