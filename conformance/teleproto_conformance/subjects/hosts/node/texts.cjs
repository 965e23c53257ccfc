'use strict';

// Values and errors as text.

const util = require('util');
const { isClass } = require('./factories.cjs');

const oneLine = (text) => text.split(/\s+/).filter(Boolean).join(' ');

/** Return the result of `show` as a string, or an empty one if it throws. */
function shown(show) {
  try {
    return String(show());
  } catch {
    return '';
  }
}

/** Describe a thing by the name of its class, or as a literal. */
function kind(thing) {
  if (typeof thing === 'function') {
    return `the ${isClass(thing) ? 'class' : 'function'} ${thing.name}`.trimEnd();
  }
  if (thing === null || typeof thing !== 'object') return util.inspect(thing).slice(0, 40);
  return thing.constructor?.name ?? 'object';
}

module.exports = { kind, oneLine, shown };
