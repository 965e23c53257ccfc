'use strict';

// The requests of the host protocol.

const fs = require('fs');
const { flushCompileCache } = require('module');
const util = require('util');
const { everything, oneLineOf, raised } = require('./errors.cjs');
const { guess, isClass, nameless } = require('./factories.cjs');
const { locate } = require('./locate.cjs');
const { LooseEnds } = require('./loose_ends.cjs');
const { Refusal } = require('./refusal.cjs');
const { kind, shown } = require('./texts.cjs');
const { Values } = require('./values.cjs');

const PROTOCOL = 1;
const AFTERWARDS = 25; // milliseconds that running work gets to end after a trace

const isPromise = (thing) => thing !== null && typeof thing === 'object' &&
  typeof thing.then === 'function';

/** Carries out requests, one after another. */
class Host {
  constructor() {
    this.sessions = new Map();
    this.texts = [];
    this.looseEnds = new LooseEnds('the module');
    process.on('warning', (warning) => {
      this.texts.push(['warnings', `a ${warning.name}`, everything(warning)]);
    });
  }

  /** Carry out a request. Return the answer, or a promise of it. */
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

  /** Carry out an operation. Return the answer, or a promise of it if `waits` is true. */
  attempt(what, waits, action) {
    let result;
    try {
      result = this.looseEnds.run(what, action);
      if (!isPromise(result)) {
        const answer = { returned: this.values.show(result) };
        // Only code that has made a promise can leave an unhandled rejection.
        return waits && this.looseEnds.madePromises ? this.awaited(what, result) : answer;
      }
    } catch (error) {
      return this.failed(what, error);
    }
    if (waits) return this.awaited(what, result);
    result.then(undefined, () => {}); // ignored: the operation has already failed
    const late = new Error(`${what} returned a promise; it has to take effect at once`);
    late.stack = '';
    return { ...this.failed(what, late), fatal: true };
  }

  /** Return the answer once `promise` has settled and Node has reported unhandled rejections. */
  async awaited(what, promise) {
    const waiting = setInterval(() => {}, 1 << 30); // keeps Node alive if no other work runs
    let answer;
    try {
      answer = { returned: this.values.show(await promise) };
    } catch (error) {
      answer = this.failed(what, error);
    }
    await this.looseEnds.rejections();
    clearInterval(waiting);
    return this.unhandled() ?? answer;
  }

  /** Return the answer that reports an unhandled error, if there is one. */
  unhandled() {
    if (!this.looseEnds.hasUnhandled) return undefined;
    const { error, kind: what, operation, source } = this.looseEnds.takeUnhandled();
    return this.failed(operation, error, `${what} from ${source}: `);
  }

  failed(what, error, prefix = '') {
    const answer = raised(error, prefix);
    this.texts.push(['errors', `the error of ${what}`, answer.everything]);
    return answer;
  }

  /** Close all open sessions, and wait a moment for the end of close(). */
  async closeSessions() {
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
    const { factory } = this; // a plain call keeps Host out of stack traces
    const made = isClass(factory) ? new factory(...args) : factory(...args);
    return isPromise(made) ? made.then(asSession) : asSession(made);
  }
}

function asSession(made) {
  if (made !== null && typeof made === 'object') return made;
  throw new TypeError(`it returned ${kind(made)} instead of a session`);
}

/** The requests by name. Each is called with the host as `this`. */
const REQUESTED = {
  async hello({ protocol, implementation, path: directories, members, keys }) {
    if (protocol !== PROTOCOL) {
      throw new Refusal(`this host speaks protocol ${PROTOCOL}, not ${protocol}`);
    }
    this.members = members;
    const { factory, library } = await locate(implementation, directories);
    await fs.promises.access('.'); // starts the thread for files, and lets Node report rejections
    if (this.looseEnds.hasUnhandled) {
      const { error, kind: what } = this.looseEnds.takeUnhandled();
      const option = `--session-impl=${implementation}`;
      throw new Refusal(`${option}: importing it failed with an ${what}: ${oneLineOf(error)}`);
    }
    flushCompileCache?.(); // now, because most processes are killed; Node 20 has no cache
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

  async begin({ workdir }) {
    process.chdir(workdir);
    this.texts = [];
    this.values.objects.clear();
    await this.looseEnds.begin();
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
    return this.unhandled() ?? { returned: null };
  },

  chdir({ directory }) {
    process.chdir(directory);
    return { returned: null };
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
    await this.looseEnds.quiet(AFTERWARDS);
    const failed = this.unhandled();
    if (this.looseEnds.busy()) {
      await this.closeSessions(); // so that this process can serve the next trace
      await this.looseEnds.quiet(AFTERWARDS);
    }
    this.sessions.clear();
    return failed ?? { returned: !this.looseEnds.busy() && !this.looseEnds.hasUnhandled };
  },
};

module.exports = { Host, isPromise };
