// A teleproto session in an SQLite file: a complete custom backend that needs only Node itself.
// Every change is committed before its call returns, so save() has nothing left to do.

import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { AuthKey } from 'teleproto/crypto/AuthKey.js';
import { returnBigInt } from 'teleproto/Helpers.js';
import { Session } from 'teleproto/sessions/index.js';
import { Api } from 'teleproto/tl/index.js';

// Ids and access hashes are kept as text: JavaScript numbers do not have enough digits.
const SCHEMA = `
  PRAGMA busy_timeout = 5000;
  PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS home (
    only INTEGER PRIMARY KEY, dcId INTEGER, serverAddress TEXT, port INTEGER, testServers INTEGER
  );
  CREATE TABLE IF NOT EXISTS keys (dcId INTEGER PRIMARY KEY, key BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS entities (
    kind TEXT, id TEXT, accessHash TEXT NOT NULL, phone TEXT, name TEXT, PRIMARY KEY (kind, id)
  );
  CREATE TABLE IF NOT EXISTS usernames (username TEXT PRIMARY KEY, kind TEXT, id TEXT);
`;
const LINK = /^(https?:\/\/)?(t\.me|telegram\.me|telegram\.dog)\//i;
const CHANNELS = -1_000_000_000_000n; // marked ids of channels are below this

export class SqliteSession extends Session {
  static sessionProfile = 'custom';

  #db;
  #login; // the number of the login in the file; delete() adds 1, so that other handles notice
  #isClosed = false;

  constructor(name) {
    super();
    const path = `${encodeURIComponent(name)}.sqlite`;
    // As with a password, only the owner may read the file. Its journal gets the same mode.
    closeSync(openSync(path, 'a', 0o600));
    this.#db = new DatabaseSync(path);
    this.#db.exec(SCHEMA);
    this.#login = this.#currentLogin;
  }

  #do(sql, ...values) {
    return this.#db.prepare(sql).all(...values);
  }

  #change(work) {
    this.#do('BEGIN IMMEDIATE');
    try {
      work();
      this.#do('COMMIT');
    } catch (error) {
      try {
        this.#do('ROLLBACK');
      } catch {} // SQLite has already rolled back
      throw error;
    }
  }

  get #currentLogin() {
    return this.#do('PRAGMA user_version')[0].user_version;
  }

  // The data centre

  get #home() {
    return this.#do('SELECT * FROM home')[0] ?? { dcId: 0, testServers: 0 };
  }

  #setHome(change) {
    const { dcId, serverAddress = null, port = null, testServers } = { ...this.#home, ...change };
    const values = [dcId, serverAddress, port, Number(testServers)];
    this.#do('INSERT OR REPLACE INTO home VALUES (1, ?, ?, ?, ?)', ...values);
  }

  setDC(dcId, serverAddress, port) {
    if (!isNumberTo(255, dcId)) throw new RangeError('a data centre has an id from 1 to 255');
    if (!isNumberTo(65535, port)) throw new RangeError('a data centre has a port from 1 to 65535');
    if (!serverAddress) throw new TypeError('a data centre has an address');
    this.#change(() => {
      // A key that was set before any data centre is in slot 0. Move it.
      this.#do('UPDATE OR REPLACE keys SET dcId = ? WHERE dcId = 0', dcId);
      this.#setHome({ dcId, serverAddress, port });
    });
    this.#login = this.#currentLogin;
  }

  get dcId() { return this.#home.dcId; }
  get serverAddress() { return this.#home.serverAddress ?? undefined; }
  get port() { return this.#home.port ?? undefined; }
  get testServers() { return Boolean(this.#home.testServers); }

  set testServers(value) {
    this.#change(() => {
      const isLocked = this.#do('SELECT dcId FROM keys').length > 0;
      if (isLocked && value !== this.testServers) {
        throw new Error('testServers is locked: there is an auth key already');
      }
      this.#setHome({ testServers: value });
    });
  }

  // The auth keys

  setAuthKey(authKey, dcId = this.dcId) {
    const key = authKey?.getKey();
    if (key && key.length !== 256) throw new RangeError('an auth key has 256 bytes');
    if (key) this.#do('INSERT OR REPLACE INTO keys VALUES (?, ?)', dcId, key);
    else this.#do('DELETE FROM keys WHERE dcId = ?', dcId);
    this.#login = this.#currentLogin;
  }

  getAuthKey(dcId = this.dcId) {
    const [row] = this.#do('SELECT key FROM keys WHERE dcId = ?', dcId);
    if (!row) return undefined;
    const key = Buffer.from(row.key);
    return new AuthKey(key, createHash('sha1').update(key).digest());
  }

  get authKey() { return this.getAuthKey(); }
  set authKey(value) { this.setAuthKey(value); }

  // The entities

  processEntities(tlo) {
    this.#change(() => {
      // If another handle has deleted this login, its entities are not stored again.
      if (this.#login !== this.#currentLogin) return;
      for (const entity of entitiesIn(tlo)) this.#remember(entity);
    });
  }

  #remember(entity) {
    const kind = entity?.className;
    const accessHash = kind === 'Chat' ? 0 : entity?.accessHash;
    if (!['User', 'Chat', 'Channel'].includes(kind) || accessHash == null || entity.min) return;
    const id = String(entity.id);
    const name = entity.title ?? [entity.firstName, entity.lastName].filter(Boolean).join(' ');
    const row = [kind, id, String(accessHash), entity.phone || null, name || null];
    this.#do('INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?, ?)', ...row);
    this.#do('DELETE FROM usernames WHERE kind = ? AND id = ?', kind, id);
    const others = (entity.usernames ?? []).filter((other) => other.active);
    for (const { username } of [entity, ...others].filter((each) => each.username)) {
      const row = [username.toLowerCase(), kind, id];
      this.#do('INSERT OR REPLACE INTO usernames VALUES (?, ?, ?)', ...row);
    }
  }

  getInputEntity(key) {
    if (/^Input(Peer|User|Channel)/.test(key?.className)) return key;
    for (const { kind, id } of this.#places(key)) {
      const where = 'SELECT accessHash FROM entities WHERE kind = ? AND id = ?';
      const [row] = this.#do(where, kind, String(id));
      if (row) return inputPeer(kind, id, row.accessHash);
    }
    throw new Error('no such entity in the cache');
  }

  // The rows to try, the best match first.
  #places(key) {
    const kind = /^Peer(User|Chat|Channel)$/.exec(key?.className)?.[1];
    if (kind) return [{ kind, id: key.userId ?? key.chatId ?? key.channelId }];
    const text = String(key);
    if (/^-?\d+$/.test(text)) return placesOf(BigInt(text));
    const username = text.replace(LINK, '').replace(/\/+$/, '').replace(/^@/, '').toLowerCase();
    const phone = text.startsWith('+') ? text.replace(/\D/g, '') : null;
    return [
      ...this.#do('SELECT kind, id FROM usernames WHERE username = ?', username),
      ...this.#do('SELECT kind, id FROM entities WHERE phone = ?', phone),
      ...this.#do('SELECT kind, id FROM entities WHERE name = ?', text),
    ];
  }

  // Loading, saving and deleting

  async load() {
    if (this.dcId) this.#login = this.#currentLogin; // each call reads the rest from the file
  }

  save() {}

  close() {
    if (!this.#isClosed) this.#db.close();
    this.#isClosed = true;
  }

  delete() {
    this.#change(() => {
      for (const table of ['home', 'keys', 'entities', 'usernames']) {
        this.#do(`DELETE FROM ${table}`);
      }
      this.#do(`PRAGMA user_version = ${this.#currentLogin + 1}`);
    });
    this.#login = this.#currentLogin;
  }
}

const isNumberTo = (last, value) => Number.isInteger(value) && value > 0 && value <= last;

const entitiesIn = (tlo) => Array.isArray(tlo) ? tlo :
  [tlo?.user, tlo?.chat, tlo?.channel, tlo?.users, tlo?.chats].flat();

function placesOf(id) {
  if (id >= 0n) return ['User', 'Chat', 'Channel'].map((kind) => ({ kind, id }));
  if (id >= CHANNELS) return [{ kind: 'Chat', id: -id }];
  return [{ kind: 'Channel', id: CHANNELS - id }];
}

function inputPeer(kind, id, hash) {
  const [whole, accessHash] = [id, hash].map((digits) => returnBigInt(String(digits)));
  if (kind === 'User') return new Api.InputPeerUser({ userId: whole, accessHash });
  if (kind === 'Chat') return new Api.InputPeerChat({ chatId: whole });
  return new Api.InputPeerChannel({ channelId: whole, accessHash });
}
