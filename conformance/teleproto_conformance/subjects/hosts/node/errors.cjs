'use strict';

// Errors in one line, and with everything that a log could show.

const path = require('path');
const util = require('util');
const { kind, oneLine, shown } = require('./texts.cjs');

const isError = (thing) => util.types.isNativeError(thing) || thing instanceof Error;

function oneLineOf(error) {
  if (!isError(error)) return `a thrown ${kind(error)}, not an Error`;
  const name = shown(() => error.name) || 'Error';
  const message = oneLine(shown(() => error.message));
  return (message ? `${name}: ${message}` : name) + place(error);
}

/** Return where an error comes from: the innermost line of the user's code or of a package. */
function place(error) {
  const frames = [];
  for (const line of shown(() => error.stack).split('\n')) {
    const frame = /^\s*at (?:(?:async )?(.*?) \()?(?:file:\/\/)?(\/.*?):(\d+)(?::\d+)?\)?$/.exec(line);
    if (frame !== null && path.dirname(frame[2]) !== __dirname) frames.push(frame);
  }
  const own = frames.find((frame) => !frame[2].includes('node_modules'));
  const [, name, file, line] = own ?? frames[0] ?? [];
  if (file === undefined) return '';
  return `, at ${path.basename(file)}:${line}${name ? ` in ${name}` : ''}`;
}

/** Return everything that a log could show of an error. */
const everything = (error) =>
  [() => error, () => util.inspect(error, { depth: 4 })].map(shown).join('\n');

/** Return the answer for an error. `prefix` names the cause of an unhandled one. */
function raised(error, prefix = '') {
  const exhausted = error instanceof RangeError && /call stack/.test(error.message);
  const fatal = prefix !== '' || exhausted || !isError(error);
  return { raised: prefix + oneLineOf(error), everything: everything(error), fatal };
}

module.exports = { everything, oneLineOf, raised };
