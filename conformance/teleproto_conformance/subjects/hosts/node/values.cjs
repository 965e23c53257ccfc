'use strict';

// Values of a trace as JavaScript objects, and back.

const { createHash } = require('crypto');
const { kind } = require('./texts.cjs');

const LONGS = ['id', 'access_hash', 'user_id', 'chat_id', 'channel_id'];

const camelCase = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const snakeCase = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Turns values of a trace into the objects of the client, and back. */
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
    kept.setKey(undefined); // takes effect at once; setKey() with bytes would not
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

module.exports = { Values };
