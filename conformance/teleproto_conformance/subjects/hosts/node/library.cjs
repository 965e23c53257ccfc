'use strict';

// The client library of a session.

const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');
const { resolve } = require('./importing.cjs');
const { Refusal } = require('./refusal.cjs');

const LIBRARIES = ['teleproto', 'telegram'];

/** Return the client library that the module uses, or else the first installed one. */
function library(request, near, option) {
  const installed = [];
  for (const name of LIBRARIES) {
    try {
      const file = resolve(`${name}/package.json`, near);
      // Do not require() it: the cache of modules shows which library the module uses.
      const { version } = JSON.parse(fs.readFileSync(file, 'utf8'));
      installed.push({ name, home: path.dirname(file), version });
    } catch {
      continue;
    }
  }
  const loaded = ({ home }) =>
    Object.keys(require.cache).some((each) => each.startsWith(home + path.sep));
  const used = installed.find(({ name }) => request.split('/')[0] === name) ??
    installed.find(loaded) ?? installed[0];
  if (used === undefined) {
    throw new Refusal(
      `${option}: neither teleproto nor telegram (gramjs) is installed for ${near[1]}; ` +
        'run "npm install teleproto" there',
    );
  }
  const from = createRequire(path.join(used.home, 'index.js'));
  return {
    versions: { Node: process.versions.node, [used.name]: used.version },
    Api: from('./tl').Api,
    AuthKey: from('./crypto/AuthKey').AuthKey,
    bigInt: from('big-integer'),
  };
}

module.exports = { library };
