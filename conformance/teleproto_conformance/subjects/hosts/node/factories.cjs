'use strict';

const isClass = (made) =>
  /^class\b/.test(Function.prototype.toString.call(made)) || 'setDC' in (made.prototype ?? {});

const CONSTRUCTOR = /(?<![.\w$#])constructor\s*\(/;
const SAVED = /^(saved\w*|(saved|session)?_?string|session)$/i;

const nameless = (factory) => (isClass(factory) ? 'Session' : 'makeSession');

/** Return the parameters of a constructor or a function, as they are written. */
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

/** Read the profile off the parameters; a class that takes a name is at least `custom`. */
function guess(factory) {
  const first = parameters(factory).split(/[,=]/)[0].trim();
  const parent = Object.getPrototypeOf(factory);
  if (first.startsWith('...') && isClass(parent)) return guess(parent); // what it passes on
  if (first === '') return 'memory';
  return SAVED.test(first) ? 'string' : 'custom';
}

module.exports = { guess, isClass, nameless };
