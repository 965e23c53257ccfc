'use strict';

// Imports a module as the user's project would.

const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { createRequire } = require('module');
const { pathToFileURL } = require('url');
const { send } = require('./channel.cjs');
const { oneLineOf } = require('./errors.cjs');
const { Refusal } = require('./refusal.cjs');
const { shown } = require('./texts.cjs');

const SUFFIXES = ['.mjs', '.cjs', '.ts', '.mts', '.cts'];

/** Resolve `request` from the first of `directories` that has it; throw the most helpful error. */
function resolve(request, directories) {
  let failure;
  for (const directory of directories) {
    const require = createRequire(path.join(directory, 'index.js'));
    const local = path.resolve(directory, request);
    for (const attempt of [request, local]) {
      try {
        return require.resolve(attempt);
      } catch (error) {
        // "This package is not for require()" says more than "not found".
        if (failure === undefined || error.code !== 'MODULE_NOT_FOUND') failure = error;
      }
    }
  }
  throw failure;
}

/** Import `request` from `directory`, for packages that require() cannot load. */
function importFrom(request, directory, option) {
  const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  if (loader === undefined) {
    throw new Refusal(
      `${option}: on Node ${process.versions.node} the suite loads packages only with require(), ` +
        'which this package forbids; use Node 20.12 or newer, or name its file below node_modules',
    );
  }
  const script = new vm.Script(`(request) => import(request)`, {
    filename: path.join(directory, 'index.js'),
    importModuleDynamically: loader,
  });
  return script.runInThisContext()(request);
}

async function load(request, directories, option) {
  let file;
  try {
    file = resolve(request, directories);
  } catch (error) {
    if (error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
      const only = () => importFrom(request, directories[0], option);
      return { exported: await imported(only, request, option), near: directories[0] };
    }
    throw new Refusal(`${option}: ${notFound(request, directories)}`);
  }
  const exported = await imported(() => import(pathToFileURL(file).href), request, option);
  return { exported, near: path.dirname(file) };
}

const isFile = (request) => /^\.{0,2}\/|\.[cm]?[jt]s$/.test(request);

function notFound(request, directories) {
  const [directory] = directories;
  const file = path.resolve(directory, request);
  const suffix = SUFFIXES.find((each) => fs.existsSync(file + each));
  if (suffix) return `there is no ${request} in ${directory}; write ${request}${suffix}`;
  if (isFile(request)) return `there is no file ${file}; write its path relative to ${directory}`;
  const name = request.split('/').slice(0, request.startsWith('@') ? 2 : 1).join('/');
  if (isInstalled(name, directories)) {
    return `the package ${name} has no module ${request}; write it as in an import`;
  }
  return `${name} is not installed for ${directory}; run "npm install ${name}" there, or ` +
    `write ./${request} for a file`;
}

function isInstalled(name, directories) {
  try {
    return resolve(`${name}/package.json`, directories) !== undefined;
  } catch (error) {
    return error.code !== 'MODULE_NOT_FOUND';
  }
}

async function imported(load, request, option) {
  const stuck = () => {
    const reason = `importing ${request} waits for a promise that never settles`;
    send({ refused: `${option}: ${reason}; fix it` });
    process.exit();
  };
  process.once('beforeExit', stuck);
  try {
    return await load();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const script = /"(\.[cm]?tsx?)"/.exec(shown(() => error.message))?.[1];
    if (error?.code === 'ERR_UNKNOWN_FILE_EXTENSION' && script) {
      throw new Refusal(
        `${option}: Node ${process.versions.node} does not run ${script} files; ` +
          'use Node 22.18 or newer, or name the compiled file',
      );
    }
    let remedy = isFile(request) ? `; \`node ${request}\` shows more` : '';
    if (error?.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') remedy = '; name the compiled file';
    const how = `failed with ${oneLineOf(error)}, on Node ${process.versions.node}`;
    throw new Refusal(`${option}: importing ${request} ${how}${remedy}`);
  } finally {
    process.off('beforeExit', stuck);
  }
}

module.exports = { load, resolve };
