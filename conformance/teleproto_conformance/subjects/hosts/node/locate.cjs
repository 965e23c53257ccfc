'use strict';

// Finds the class that --session-impl names.

const { load } = require('./importing.cjs');
const { library } = require('./library.cjs');
const { Refusal } = require('./refusal.cjs');
const { kind } = require('./texts.cjs');

/** Find a class or factory: MODULE#EXPORT, or the default export of MODULE. */
async function locate(text, directories) {
  const option = `--session-impl=${text}`;
  const [request, name] = text.replace(/^node:/, '').split('#');
  const { exported, near } = await load(request, directories, option);
  const all = { ...Object(exported.default), ...exported };
  let found = name ? all[name] : exported.default;
  if (!name && typeof found?.default === 'function') found = found.default; // compiled to CommonJS
  if (typeof found !== 'function') {
    const what = name ? `export ${name}` : 'default export';
    const known = Object.keys(all).filter((each) => typeof all[each] === 'function');
    throw new Refusal(
      `${option}: ${request} has no ${what}` +
        (found === undefined ? '; ' : ` that is a class or factory, but ${kind(found)}; `) +
        (known.length > 0
          ? `it has ${known.join(', ')}`
          : 'it does not export any class or function'),
    );
  }
  return { factory: found, library: library(request, [near, ...directories], option) };
}

module.exports = { locate };
