'use strict';

// What the source of a class or factory shows: its parameters and its profile.

const isClass = (made) =>
  /^class\b/.test(Function.prototype.toString.call(made)) || 'setDC' in (made.prototype ?? {});

const CONSTRUCTOR = /(?<![.\w$#])constructor\s*\(/;
const SAVED = /^(saved\w*|(saved|session)?_?string|session)$/i;

/** Return a name to show for a class or factory without a name. */
const nameless = (factory) => (isClass(factory) ? 'Session' : 'makeSession');

/** Return the source of the parameters of a class or function. */
function parameters(made) {
  let holder = made;
  let source = Function.prototype.toString.call(holder);
  while (/^class\b/.test(source) && !CONSTRUCTOR.test(source)) {
    holder = Object.getPrototypeOf(holder);
    if (holder === Function.prototype) return '';
    source = Function.prototype.toString.call(holder);
  }
  const head = /^class\b/.test(source) ? source.slice(source.search(CONSTRUCTOR)) : source;
  return (/\(([^)]*)\)/.exec(head) ?? /^(?:async\s+)?(\w+)\s*=>/.exec(head))?.[1].trim() ?? '';
}

/** Guess the profile from the parameters. A class that takes a name is at least `custom`. */
function guess(factory) {
  const first = parameters(factory).split(/[,=]/)[0].trim();
  const parent = Object.getPrototypeOf(factory);
  if (first.startsWith('...') && isClass(parent)) return guess(parent); // it passes them on
  if (first === '') return 'memory';
  return SAVED.test(first) ? 'string' : 'custom';
}

module.exports = { guess, isClass, nameless };
