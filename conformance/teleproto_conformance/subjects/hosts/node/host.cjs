'use strict';

// The Node host: serves one session class to the suite, as spec/HOSTS.md says. Requests come on
// descriptor 3 and answers go to 4, so that whatever the session prints is none.
//
// The sessions get what they would get from the client: AuthKey and Api objects and big integers of
// the teleproto (or gramjs) that is installed for them.

const fs = require('fs');
const path = require('path');
const util = require('util');
const vm = require('vm');
const { AsyncLocalStorage, createHook } = require('async_hooks');
const { createHash } = require('crypto');
const { createRequire } = require('module');
const { pathToFileURL } = require('url');

// One thread for the file system: the suite counts the writes of a change, and several threads could
// make them in any order.
process.env.UV_THREADPOOL_SIZE = '1';

const PROTOCOL = 1;
const [REQUESTS, ANSWERS] = [3, 4];
const AFTERWARDS = 25; // milliseconds for what a trace has left running to come to something
const LIBRARIES = ['teleproto', 'telegram'];
const SUFFIXES = ['.mjs', '.cjs', '.ts', '.mts', '.cts'];
const LONGS = ['id', 'access_hash', 'user_id', 'chat_id', 'channel_id'];

/** A line for the user: the class cannot be had. */
class Refusal extends Error {}

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const oneLine = (text) => text.split(/\s+/).filter(Boolean).join(' ');
const isPromise = (thing) => thing !== null && typeof thing === 'object' &&
  typeof thing.then === 'function';

/** Return what `show` gives, or nothing where it throws. */
function shown(show) {
  try {
    return String(show());
  } catch {
    return '';
  }
}

// -- The channel --

/** Lines from a descriptor, read so that nothing else happens while there is none. */
class Lines {
  constructor(fd) {
    this.fd = fd;
    this.chunk = Buffer.alloc(1 << 16);
    this.rest = Buffer.alloc(0);
  }

  /** Return the next line, or null at the end. */
  next() {
    let end;
    while ((end = this.rest.indexOf(10)) < 0) {
      const size = fs.readSync(this.fd, this.chunk);
      if (size === 0) return null;
      this.rest = Buffer.concat([this.rest, this.chunk.subarray(0, size)]);
    }
    const line = this.rest.toString('utf8', 0, end);
    this.rest = this.rest.subarray(end + 1);
    return line;
  }
}

function send(answer) {
  let data = Buffer.from(`${JSON.stringify(answer)}\n`);
  let failures = 0;
  while (data.length > 0) {
    try {
      data = data.subarray(fs.writeSync(ANSWERS, data));
    } catch (error) {
      // A write that was made to fail in a new thread may fail in this one, too, once.
      failures += 1;
      if (failures > 1) throw error;
    }
  }
}

// -- Finding the class --

/** Resolve `request` as a module in one of `directories` would; throws what Node throws last. */
function resolve(request, directories) {
  let failure;
  for (const directory of directories) {
    const require = createRequire(path.join(directory, 'index.js'));
    const local = path.resolve(directory, request);
    for (const attempt of [request, local]) {
      try {
        return require.resolve(attempt);
      } catch (error) {
        // A package that is there, but not for require(), says more than a file that is not.
        if (failure === undefined || error.code !== 'MODULE_NOT_FOUND') failure = error;
      }
    }
  }
  throw failure;
}

/** Import `request` as a module in `directory` would: for packages that require() cannot have. */
function importFrom(request, directory, option) {
  const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  if (loader === undefined) {
    throw new Refusal(
      `${option}: with Node ${process.versions.node} the suite cannot import a package that has ` +
        'no require(); use Node 20.12 or newer, or name its file below node_modules',
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
  if (isFile(request)) return `there is no file ${file}; write its path as seen from ${directory}`;
  const name = request.split('/').slice(0, request.startsWith('@') ? 2 : 1).join('/');
  if (isInstalled(name, directories)) {
    return `the package ${name} has no module ${request}; write it as an import of it would`;
  }
  return `there is no package ${name} for ${directory}; run "npm install ${name}" there, or ` +
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
    send({ refused: `${option}: importing ${request} waits for what will never come; mend it` });
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
    let remedy = isFile(request) ? `; \`node ${request}\` shows more of it` : '';
    if (error?.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') remedy = '; name the compiled file';
    const how = `failed with ${oneLineOf(error)}, on Node ${process.versions.node}`;
    throw new Refusal(`${option}: importing ${request} ${how}${remedy}`);
  } finally {
    process.off('beforeExit', stuck);
  }
}

/** Find a class or factory: MODULE#EXPORT, or the default export of MODULE. */
async function locate(text, directories) {
  const option = `--session-impl=${text}`;
  const [request, name] = text.replace(/^node:/, '').split('#');
  const { exported, near } = await load(request, directories, option);
  const all = { ...Object(exported.default), ...exported };
  let found = name ? all[name] : exported.default;
  if (!name && typeof found?.default === 'function') found = found.default; // compiled, by a tool
  if (typeof found !== 'function') {
    const what = name ? `export ${name}` : 'default export';
    const known = Object.keys(all).filter((each) => typeof all[each] === 'function');
    throw new Refusal(
      `${option}: ${request} has no ${what}` +
        (found === undefined ? '; ' : ` that is a class or factory, but ${kind(found)}; `) +
        (known.length > 0 ? `it has ${known.join(', ')}` : 'it exports no class and no function'),
    );
  }
  return { factory: found, library: library(request, [near, ...directories], option) };
}

/** Return the client library that the module uses, or else the first that is installed for it. */
function library(request, near, option) {
  const installed = [];
  for (const name of LIBRARIES) {
    try {
      const file = resolve(`${name}/package.json`, near);
      // Read, not required: what is in the cache of modules tells which library the module uses.
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

// -- Values --

/** Turns values of a trace into what the client would hand over, and back. */
class Values {
  constructor({ Api, AuthKey, bigInt }, keys) {
    Object.assign(this, { Api, AuthKey, bigInt, objects: new Map() });
    this.keys = new Map(Object.entries(keys).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]));
    this.names = new Map(Object.entries(keys).map(([name, hex]) => [hex, name]));
  }

  build(value) {
    if (value === null) return undefined;
    if (Array.isArray(value)) return value.map((entry) => this.build(entry));
    if (typeof value !== 'object') return value;
    if ('key' in value) return this.authKey(value.key, value.object);
    if ('long' in value) return this.bigInt(value.long);
    if ('int' in value) {
      const number = Number(value.int);
      return Number.isSafeInteger(number) ? number : this.bigInt(value.int);
    }
    return this.tlObject(value);
  }

  authKey(name, object) {
    const bytes = this.keys.get(name);
    const hash = createHash('sha1').update(bytes).digest();
    const filled = new this.AuthKey(bytes.length ? Buffer.from(bytes) : undefined, hash);
    if (object === undefined) return filled;
    if (!this.objects.has(object)) this.objects.set(object, new this.AuthKey());
    const kept = this.objects.get(object);
    kept.setKey(undefined); // takes effect at once, where filling it would not
    return Object.assign(kept, filled);
  }

  tlObject({ _: constructor, ...fields }) {
    const name = constructor.replace(/(^|\.)([a-z])(?=\w*$)/, (_, dot, l) => dot + l.toUpperCase());
    const given = {};
    for (const [field, entry] of Object.entries(fields)) {
      const long = LONGS.includes(field) && entry !== null;
      given[camelCase(field)] = long ? this.bigInt(entry) : this.build(entry);
    }
    const made = name.split('.').reduce((space, part) => space?.[part], this.Api);
    if (made !== undefined) return new made(given);
    return Object.assign(Object.create({ className: name, classType: 'constructor' }), given);
  }

  show(thing) {
    if (thing === undefined || thing === null) return null;
    if (typeof thing === 'string' || typeof thing === 'boolean') return thing;
    if (typeof thing === 'number' && Number.isFinite(thing)) return thing;
    if (thing instanceof Uint8Array) return this.showKey(thing);
    if (typeof thing !== 'object') return { javascript: typeof thing };
    if (typeof thing.getKey === 'function') return this.showKey(thing.getKey() ?? Buffer.alloc(0));
    if (/^Input(Peer|User|Channel)/.test(thing.className)) return this.showPeer(thing);
    return { javascript: kind(thing) };
  }

  showKey(bytes) {
    if (!(bytes instanceof Uint8Array)) return { javascript: `AuthKey of ${kind(bytes)}` };
    const name = this.names.get(Buffer.from(bytes).toString('hex'));
    return name === undefined ? { key: 'unknown', bytes: bytes.length } : { key: name };
  }

  showPeer(peer) {
    const name = peer.className;
    const shown = { _: name[0].toLowerCase() + name.slice(1) };
    for (const field of LONGS.map(camelCase)) {
      if (peer[field] !== undefined) shown[snakeCase(field)] = this.showLong(peer[field]);
    }
    return shown;
  }

  showLong(number) {
    const whole = this.bigInt.isInstance(number) || typeof number === 'bigint' ||
      Number.isSafeInteger(number);
    return whole ? number.toString() : { javascript: kind(number) };
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

// -- Errors --

const isError = (thing) => util.types.isNativeError(thing) || thing instanceof Error;

function oneLineOf(error) {
  if (!isError(error)) return `a thrown ${kind(error)}, which is no Error`;
  const name = shown(() => error.name) || 'Error';
  const message = oneLine(shown(() => error.message));
  return (message ? `${name}: ${message}` : name) + place(error);
}

/** Say where an error comes from: the innermost line of the user's own code, or else a package's. */
function place(error) {
  const frames = [];
  for (const line of shown(() => error.stack).split('\n')) {
    const frame = /^\s*at (?:(?:async )?(.*?) \()?(?:file:\/\/)?(\/.*?):(\d+)(?::\d+)?\)?$/.exec(line);
    if (frame !== null && frame[2] !== __filename) frames.push(frame);
  }
  const own = frames.find((frame) => !frame[2].includes('node_modules'));
  const [, name, file, line] = own ?? frames[0] ?? [];
  if (file === undefined) return '';
  return `, at ${path.basename(file)}:${line}${name ? ` in ${name}` : ''}`;
}

/** All that a log could show of an error. */
const everything = (error) =>
  [() => error, () => util.inspect(error, { depth: 4 })].map(shown).join('\n');

function raised(error, left = '') {
  const exhausted = error instanceof RangeError && /call stack/.test(error.message);
  const fatal = left !== '' || exhausted || !isError(error);
  return { raised: left + oneLineOf(error), everything: everything(error), fatal };
}

// -- The host --

class Host {
  constructor() {
    this.sessions = new Map();
    this.running = new AsyncLocalStorage();
    this.promises = 0;
    this.timers = [];
    const init = (id, type, cause, resource) => {
      if (type === 'PROMISE') this.promises += 1;
      if (type === 'Timeout') this.timers.push(resource);
    };
    createHook({ init }).enable();
    this.stray = [];
    this.texts = [];
    this.marks = new Map();
    const strayed = (how) => (error) => {
      const marked = this.marks.get(error);
      if (this.marks.delete(error)) return void marked();
      this.stray.push({ error, how, member: this.running.getStore() });
    };
    process.on('unhandledRejection', strayed('nobody handled a rejection'));
    process.on('uncaughtException', strayed('nobody caught an error'));
    process.on('warning', (warning) => {
      this.texts.push(['warnings', `a ${warning.name}`, everything(warning)]);
    });
  }

  /** Do what a request asks. What is returned is the answer, or a promise of it. */
  answer({ do: what, ...given }) {
    const done = Object.hasOwn(REQUESTED, what) ? REQUESTED[what].call(this, given) : undefined;
    if (done === undefined) throw new Error(`there is no request ${what}`);
    return done;
  }

  session(name) {
    if (!this.sessions.has(name)) throw new Error(`there is no session ${name}`);
    return this.sessions.get(name);
  }

  member(name) {
    if (!Object.hasOwn(this.members, name)) throw new Error(`a session has no member ${name}`);
    return this.members[name];
  }

  /** Return an answer, or where `waits` allows it, a promise of one. */
  attempt(what, waits, action) {
    let result;
    this.promises = 0;
    try {
      result = this.running.run(what, action);
      if (!isPromise(result)) {
        const answer = { returned: this.values.show(result) };
        // Only where a promise was made can one have been rejected that nobody handles.
        return waits && this.promises > 0 ? this.settled(what, result) : answer;
      }
    } catch (error) {
      return this.failed(what, error);
    }
    if (waits) return this.settled(what, result);
    result.then(undefined, () => {}); // what it comes to is too late in any case
    const late = new Error(`${what} gave a promise; it has to take effect at once`);
    late.stack = '';
    return { ...this.failed(what, late), fatal: true };
  }

  /** Wait for what was promised, if it was, and for what the call has left behind. */
  async settled(what, promise) {
    const waiting = setInterval(() => {}, 1 << 30); // or Node ends where nothing else goes on
    let answer;
    try {
      answer = { returned: this.values.show(await promise) };
    } catch (error) {
      answer = this.failed(what, error);
    }
    await this.rejections();
    clearInterval(waiting);
    return this.astray() ?? answer;
  }

  /** Wait until rejections that nobody handles have shown, which come in their order, and no longer:
      a client that goes on after an await sees nothing else done. */
  rejections() {
    return new Promise((resolve) => {
      const mark = Symbol('all rejections before this');
      this.marks.set(mark, resolve);
      Promise.reject(mark);
    });
  }

  /** Return what has come of an error that nobody was there for: it would end the program. */
  astray() {
    if (this.stray.length === 0) return undefined;
    const { error, how, member } = this.stray[0];
    this.stray = [];
    return this.failed(member, error, `${how} that ${member ?? 'the module'} left behind: `);
  }

  failed(what, error, left = '') {
    const answer = raised(error, left);
    this.texts.push(['errors', `the error of ${what}`, answer.everything]);
    return answer;
  }

  /** Say whether the trace has left something running, be it a timer that keeps no program alive. */
  busy() {
    this.timers = this.timers.filter((timer) => !timer._destroyed);
    const before = [...this.resources];
    const left = process.getActiveResourcesInfo().some((each) => {
      const known = before.indexOf(each);
      if (known >= 0) before.splice(known, 1);
      return known < 0 && each !== 'Immediate' && each !== 'Timeout';
    });
    return left || this.timers.length > 0;
  }

  /** Wait until nothing is running any more, for so many milliseconds at most. */
  async quiet(limit) {
    const until = performance.now() + limit;
    await new Promise(setImmediate);
    while (this.busy() && performance.now() < until) {
      await new Promise((go) => setImmediate(go));
    }
  }

  /** Close the sessions that are still open, and wait for that no longer than for the rest. */
  async closed() {
    let limit;
    const closing = [...this.sessions.values()].map(async (session) => session.close());
    const enough = new Promise((go) => { limit = setTimeout(go, AFTERWARDS); });
    await Promise.race([Promise.allSettled(closing), enough]);
    clearTimeout(limit);
  }

  call(session, member, args) {
    const { teleproto: name, awaitable } = this.member(member);
    const thing = this.session(session);
    const built = args.map((each) => this.values.build(each));
    return this.attempt(name, awaitable, () => thing[name](...built));
  }

  make(args) {
    const { factory } = this; // whose place in a stack is not called Host's
    const made = isClass(factory) ? new factory(...args) : factory(...args);
    return isPromise(made) ? made.then(due) : due(made);
  }
}

function due(made) {
  if (made !== null && typeof made === 'object') return made;
  throw new TypeError(`it returned ${kind(made)} where a session is due`);
}

/** What each request does, `this` being the host. */
const REQUESTED = {
  async hello({ protocol, implementation, path: directories, members, keys }) {
    if (protocol !== PROTOCOL) {
      throw new Refusal(`this host speaks protocol ${PROTOCOL}, not ${protocol}`);
    }
    this.members = members;
    const { factory, library } = await locate(implementation, directories);
    await fs.promises.access('.'); // starts the thread, and lets rejections show
    if (this.stray.length > 0) {
      const { error, how } = this.stray[0];
      const option = `--session-impl=${implementation}`;
      throw new Refusal(`${option}: importing it failed, as ${how}: ${oneLineOf(error)}`);
    }
    this.factory = factory;
    this.values = new Values(library, keys);
    return {
      returned: {
        protocol: PROTOCOL,
        language: 'javascript',
        name: ['', 'default'].includes(factory.name) ? nameless(factory) : factory.name,
        pid: process.pid,
        promised: factory.sessionProfile ?? null,
        guess: guess(factory),
        versions: library.versions,
      },
    };
  },

  begin({ workdir }) {
    process.chdir(workdir);
    this.texts = [];
    this.values.objects.clear();
    this.timers = [];
    this.resources = process.getActiveResourcesInfo();
    return { returned: null };
  },

  open({ session, arguments: args }) {
    this.sessions.delete(session);
    const keep = (made) => {
      this.sessions.set(session, made);
    };
    return this.attempt('the constructor', true, () => {
      const made = this.make(args);
      return isPromise(made) ? made.then(keep) : keep(made);
    });
  },

  drop({ session }) {
    this.sessions.delete(session);
    return { returned: null };
  },

  has({ session, member }) {
    const { teleproto: name, kind: sort } = this.member(member);
    const thing = this.session(session);
    return this.attempt(name, false, () =>
      sort === 'method' ? typeof thing[name] === 'function' : name in thing);
  },

  observe({ session, member }) {
    const { teleproto: name } = this.member(member);
    const thing = this.session(session);
    return this.attempt(name, false, () => thing[name]);
  },

  set({ session, member, value }) {
    const { teleproto: name } = this.member(member);
    const thing = this.session(session);
    const built = this.values.build(value);
    return this.attempt(name, false, () => {
      thing[name] = built;
    });
  },

  call({ session, member, arguments: args }) {
    return this.call(session, member, args);
  },

  async together({ calls }) {
    const begun = calls.map(([session, member, args]) =>
      this.call(session, member, args));
    return { returned: await Promise.all(begun) };
  },

  async pause({ milliseconds }) {
    await new Promise((go) => setTimeout(go, milliseconds));
    return this.astray() ?? { returned: null };
  },

  texts({ session }) {
    const thing = this.sessions.get(session);
    const views = [
      ['util.inspect()', () => util.inspect(thing)],
      ['String()', () => thing],
      ['JSON.stringify()', () => JSON.stringify(thing)],
    ];
    const seen = views.map(([by, show]) => ['repr', by, shown(show)]);
    return { returned: [...seen, ...this.texts] };
  },

  async finish() {
    await this.quiet(AFTERWARDS);
    const lost = this.astray();
    if (this.busy()) {
      await this.closed(); // so that this process may serve the next trace
      await this.quiet(AFTERWARDS);
    }
    this.sessions.clear();
    return lost ?? { returned: !this.busy() && this.stray.length === 0 };
  },
};

async function serve() {
  const host = new Host();
  const lines = new Lines(REQUESTS);
  for (let line = lines.next(); line !== null; line = lines.next()) {
    let answer;
    try {
      const request = JSON.parse(line);
      if (request.do === 'exit') break;
      answer = host.answer(request);
      // Waiting lets other things happen, which a client that does not wait would not see done.
      if (isPromise(answer)) answer = await answer;
    } catch (error) {
      answer = error instanceof Refusal ? { refused: error.message } : { fault: error.stack };
    }
    send(answer);
  }
  process.exit();
}

serve().catch((error) => {
  console.error(error);
  process.exit(1);
});
