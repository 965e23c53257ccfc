'use strict';

const util = require('util');
const { isClass } = require('./factories.cjs');

const oneLine = (text) => text.split(/\s+/).filter(Boolean).join(' ');

/** Return what `show` gives, or nothing where it throws. */
function shown(show) {
  try {
    return String(show());
  } catch {
    return '';
  }
}

/** Say what a thing is: the name of its class, or what it is as a literal. */
function kind(thing) {
  if (typeof thing === 'function') {
    return `the ${isClass(thing) ? 'class' : 'function'} ${thing.name}`.trimEnd();
  }
  if (thing === null || typeof thing !== 'object') return util.inspect(thing).slice(0, 40);
  return thing.constructor?.name ?? 'object';
}

module.exports = { kind, oneLine, shown };
