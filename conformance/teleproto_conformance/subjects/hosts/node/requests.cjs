'use strict';

const fs = require('fs');
const util = require('util');
const { AsyncLocalStorage, createHook } = require('async_hooks');
const { everything, oneLineOf, raised } = require('./errors.cjs');
const { guess, isClass, nameless } = require('./factories.cjs');
const { locate } = require('./locate.cjs');
const { Refusal } = require('./refusal.cjs');
const { kind, shown } = require('./texts.cjs');
const { Values } = require('./values.cjs');

const PROTOCOL = 1;
const AFTERWARDS = 25; // milliseconds for what a trace has left running to come to something

const isPromise = (thing) => thing !== null && typeof thing === 'object' &&
  typeof thing.then === 'function';

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

module.exports = { Host, isPromise };
