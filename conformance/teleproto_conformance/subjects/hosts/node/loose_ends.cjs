'use strict';

// What a trace leaves running.

const { AsyncLocalStorage, createHook } = require('async_hooks');

/** Work of a session that still runs, and errors that no code has handled. */
class LooseEnds {
  /** `fallback` names the cause of errors outside all operations. */
  constructor(fallback) {
    this.fallback = fallback;
    this.operation = new AsyncLocalStorage();
    this.promises = 0;
    this.timers = [];
    this.resources = [];
    this.unhandled = [];
    this.marks = new Map();
    const init = (id, type, cause, resource) => {
      if (type === 'PROMISE') this.promises += 1;
      if (type === 'Timeout') this.timers.push(resource);
    };
    createHook({ init }).enable();
    const note = (kind) => (error) => {
      const reached = this.marks.get(error);
      if (this.marks.delete(error)) return void reached();
      this.unhandled.push({ error, kind, operation: this.operation.getStore() });
    };
    process.on('unhandledRejection', note('unhandled rejection'));
    process.on('uncaughtException', note('uncaught error'));
  }

  /** Begin a trace: work that runs now belongs to earlier traces. */
  async begin() {
    await new Promise(setImmediate); // until then, Node lists work that has just ended
    this.timers = [];
    this.resources = process.getActiveResourcesInfo();
  }

  /** Run `action`. Errors of all work that it starts belong to `operation`. */
  run(operation, action) {
    this.promises = 0;
    return this.operation.run(operation, action);
  }

  /** Return whether any code has made a promise since the last run(). */
  get madePromises() {
    return this.promises > 0;
  }

  /** Wait until Node has reported all unhandled rejections so far. Do not wait longer: a client
      would continue here, before any later work is done. */
  rejections() {
    return new Promise((resolve) => {
      // Node reports rejections in their order, so this one comes after all others.
      const mark = Symbol('all rejections before this');
      this.marks.set(mark, resolve);
      Promise.reject(mark);
    });
  }

  get hasUnhandled() {
    return this.unhandled.length > 0;
  }

  /** Remove all unhandled errors, and return the first: it would end a Node program. */
  takeUnhandled() {
    const [first] = this.unhandled;
    this.unhandled = [];
    return { ...first, source: first.operation ?? this.fallback };
  }

  /** Return whether work of this trace still runs. Timers count, even after unref(). */
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

  /** Wait until all work has ended, for at most this many milliseconds. */
  async quiet(limit) {
    const until = performance.now() + limit;
    await new Promise(setImmediate);
    while (this.busy() && performance.now() < until) {
      await new Promise((go) => setImmediate(go));
    }
  }
}

module.exports = { LooseEnds };
