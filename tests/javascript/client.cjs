'use strict';

/*
 * Runs teleproto's TelegramClient, as published, and prints its calls of the session:
 *
 *   node client.cjs DIRECTORY SCENARIO < CASES
 *
 * DIRECTORY holds the node_modules with teleproto, and SCENARIO is one of `scenarios`. CASES is a
 * JSON list of options, one entry for each run of the scenario:
 *
 *   tests      the client's option testServers, and that of the clients after the first
 *   moves      the data centres of the account in turn, each as [id, address]
 *   login      whether the session holds key A for the first of these before the client starts
 *   saved      the string from which the session is read instead
 *   media      the data centres of its files
 *   users      who signs in, one after the other, as TL objects of a trace
 *   dialogs    the answer to messages.getDialogs, as a TL object of a trace
 *   webSocket  whether the client connects over WebSocket
 *
 * It prints a JSON list for each case: every call, read and write of a member, in order, and a mark
 * at the end of the scenario's login.
 *
 * Only two parts of the client are replaced:
 *
 *  - the socket, which the client takes as its option `networkSocket`. `Telegram` is the other end:
 *    it decrypts the requests of the client, and encrypts its answers;
 *  - `doAuthentication`, the Diffie-Hellman exchange. Instead, `Telegram` gives out the synthetic
 *    keys A, B, C... of the vectors.
 *
 * The rest is teleproto's: the client, its senders, how it reconnects, migrates and retries, and
 * the encryption. Both transports use the framing of TCP full.
 *
 * A key is printed as its name, and the AuthKey object that holds it as a number.
 */

const { createHash, randomBytes } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join, resolve } = require('node:path');
const { keys: HEX } = require('../../vectors/client-sequences.json');
const { 'data-centres': PUBLISHED } = require('../../vectors/contract.json').tables;

const [DIRECTORY, SCENARIO] = process.argv.slice(2);
const load = createRequire(join(resolve(DIRECTORY), 'package.json'));
const bigInt = createRequire(load.resolve('teleproto'))('big-integer');
const { Api, TelegramClient } = load('teleproto');
const { AuthKey } = load('teleproto/crypto/AuthKey');
const { IGE } = load('teleproto/crypto/IGE');
const { BinaryReader, Logger } = load('teleproto/extensions');
const { toSignedLittleBuffer } = load('teleproto/Helpers');
const { ConnectionTCPFull } = load('teleproto/network');
const authenticator = load('teleproto/network/Authenticator');
const { FullPacketCodec } = load('teleproto/network/connection/TCPFull');
const { MemorySession, StringSession } = load('teleproto/sessions');
const { MessageContainer, RPCResult } = load('teleproto/tl/core');

const KEY_UNKNOWN = -404;
const VECTOR = 0x1cb5c415;
const TRUE = 0x997275b5;

const MEDIA_ONLY = { 7: '192.0.2.7', 203: '192.0.2.203' };
const ADDRESSES = [
  ...[PUBLISHED.production, PUBLISHED.test].flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]),
  PUBLISHED.web_hosts,
  PUBLISHED.web_media_hosts,
  MEDIA_ONLY,
].flatMap((table) => Object.entries(table).map(([id, address]) => [Number(id), address]));

/** End the process. The client would not report an error, but retry for ever. */
function stop(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

// ---------------------------------------------------------------- the record

const NAMES = new Map(Object.entries(HEX).map(([name, hex]) => [hex, name]));
const OF_EVERY_OBJECT = new Set(Object.keys(new Api.InputPeerEmpty({})));

/** Return a value in the notation of traces, but with teleproto's names. */
function describe(value, holders) {
  if (value === undefined || value === null) return null;
  if (value instanceof AuthKey) {
    if (!holders.has(value)) holders.set(value, holders.size + 1);
    const hex = value.getKey()?.toString('hex') ?? '';
    return { key: NAMES.get(hex) ?? 'of no name', object: holders.get(value) };
  }
  if (bigInt.isInstance(value)) return value.toString();
  if (Array.isArray(value)) return value.map((entry) => describe(entry, holders));
  if (Buffer.isBuffer(value)) return { bytes: value.length };
  if (typeof value !== 'object') return value;
  const fields = Object.entries(value)
    .filter(([name, field]) => !OF_EVERY_OBJECT.has(name) && (field ?? false) !== false)
    .map(([name, field]) => [name, describe(field, holders)]);
  return { _: value.className, ...Object.fromEntries(fields) };
}

/** Return a proxy of `session` that records its use in `calls`, but not its own inner calls. */
function recorded(session, calls, holders) {
  return new Proxy(session, {
    get(target, member) {
      const value = Reflect.get(target, member);
      if (typeof value !== 'function') {
        calls.push({ read: member, gives: describe(value, holders) });
        return value;
      }
      return (...given) => {
        const call = { call: member, given: given.map((one) => describe(one, holders)) };
        calls.push(call);
        const result = value.apply(target, given);
        if (member === 'getAuthKey') call.gives = describe(result, holders);
        return result;
      };
    },
    set(target, member, value) {
      calls.push({ write: member, given: [describe(value, holders)] });
      return Reflect.set(target, member, value);
    },
  });
}

// ---------------------------------------------------------------- the replaced parts

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const idOf = (key) => createHash('sha1').update(key).digest().toString('hex', 12);

function int32(...numbers) {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, index) => bytes.writeInt32LE(number | 0, 4 * index));
  return bytes;
}

/** The cipher of one message of MTProto 2.0, from the client (`x` is 0) or to it (8). */
function cipher(key, messageKey, x) {
  const a = sha256(messageKey, key.subarray(x, x + 36));
  const b = sha256(key.subarray(x + 40, x + 76), messageKey);
  return new IGE(
    Buffer.concat([a.subarray(0, 8), b.subarray(8, 24), a.subarray(24)]),
    Buffer.concat([b.subarray(0, 8), a.subarray(8, 24), b.subarray(24)]),
  );
}

/** Return a class that the client uses for its sockets. */
function socketTo(telegram, isWebSocket) {
  return class Socket {
    static isWebSocket = isWebSocket;

    received = Buffer.alloc(0);

    codec = new FullPacketCodec();

    async connect(port, address) {
      const found = ADDRESSES.find(([, known]) => known === address);
      if (!found) stop(`The client dials ${address}, where there is no data centre`);
      [this.dc] = found;
    }

    makeKey(isTemporary) {
      return telegram.makeKey(this.dc, isTemporary);
    }

    frame(body) {
      return this.codec.encodePacket(body);
    }

    write(packet) {
      telegram.receive(this, packet.subarray(8, -4)); // after length and number, before the checksum
    }

    async readExactly(size) {
      while (this.received.length < size) {
        if (this.closed) throw new Error('The socket is closed');
        await new Promise((wake) => { this.wake = wake; });
      }
      const part = this.received.subarray(0, size);
      this.received = this.received.subarray(size);
      return part;
    }

    async close() {
      this.closed = true;
      this.wake?.();
    }

    deliver(bytes) {
      this.received = Buffer.concat([this.received, bytes]);
      this.wake?.();
    }
  };
}

/** Telegram's servers, as far as the scenarios need them. */
class Telegram {
  home = 2; // the data centre of the account

  keys = new Map(); // by its id: the bytes, the data centre, and whether it is signed in

  names = ['A', 'B', 'C', 'D', 'E', 'F'];

  messages = 0;

  constructor(test, users, dialogs) {
    Object.assign(this, { test, users, dialogs });
  }

  makeKey(dc, isTemporary) {
    if (dc === this.down) throw new Error(`Data centre ${dc} makes no key`);
    if (this.names.length === 0) stop('The client makes one key after the other');
    const bytes = isTemporary ? randomBytes(256) : Buffer.from(HEX[this.names.shift()], 'hex');
    this.keys.set(idOf(bytes), { bytes, dc });
    return bytes;
  }

  forgetKey(dc) {
    for (const [id, key] of this.keys) if (key.dc === dc) this.keys.delete(id);
  }

  signIn() {
    for (const key of this.keys.values()) key.signedIn = true;
  }

  async receive(socket, packet) {
    const key = this.keys.get(packet.toString('hex', 0, 8));
    if (key?.dc !== socket.dc) {
      socket.deliver(int32(KEY_UNKNOWN));
      return;
    }
    const plain = cipher(key.bytes, packet.subarray(8, 24), 0).decryptIge(packet.subarray(24));
    const reader = new BinaryReader(plain.subarray(8));
    const session = reader.read(8);
    const msgId = reader.readLong();
    reader.read(8); // its number and length
    const obj = await reader.tgReadObject();
    const messages = obj instanceof MessageContainer ? obj.messages : [{ msgId, obj }];
    for (const message of messages) {
      const answer = this.answer(key, message);
      if (answer) socket.deliver(socket.frame(this.encrypt(key.bytes, session, answer)));
    }
  }

  encrypt(key, session, body) {
    this.messages += 4;
    const id = int32(this.messages + 1, Date.now() / 1000);
    const head = Buffer.concat([Buffer.alloc(8), session, id, int32(1, body.length)]);
    const padding = randomBytes(28 - ((head.length + body.length + 12) % 16));
    const plain = Buffer.concat([head, body, padding]);
    const messageKey = sha256(key.subarray(96, 128), plain).subarray(8, 24);
    const secret = cipher(key, messageKey, 8).encryptIge(plain);
    return Buffer.concat([Buffer.from(idOf(key), 'hex'), messageKey, secret]);
  }

  answer(key, { msgId, obj: request }) {
    if (request instanceof Api.MsgsAck) return undefined;
    const result = bytesOf(this.result(request, key));
    return Buffer.concat([int32(RPCResult.CONSTRUCTOR_ID), toSignedLittleBuffer(msgId, 8), result]);
  }

  result(request, key) {
    const name = request.className;
    if (request.query) return this.result(request.query, key);
    if (name === 'help.GetConfig') return this.config();
    if (name === 'auth.BindTempAuthKey') return true;
    if (name === 'auth.SendCode') {
      if (key.dc !== this.home) return error(303, `PHONE_MIGRATE_${this.home}`);
      return new Api.auth.SentCode({ type: { _: 'auth.sentCodeTypeApp' }, phoneCodeHash: 'hash' });
    }
    if (name === 'auth.SignIn') {
      this.user = objectOf(this.users.shift());
      key.signedIn = true;
      return new Api.auth.Authorization({ user: this.user });
    }
    if (name === 'auth.ImportAuthorization') {
      key.signedIn = true;
      return new Api.auth.Authorization({ user: { _: 'userEmpty' } });
    }
    if (!key.signedIn) return error(401, 'AUTH_KEY_UNREGISTERED');
    if (name === 'upload.GetFile') {
      return new Api.upload.File({ type: { _: 'storage.fileUnknown' }, bytes: Buffer.alloc(1) });
    }
    if (key.dc !== this.home) return error(303, `USER_MIGRATE_${this.home}`);
    switch (name) {
      case 'auth.ExportAuthorization':
        return new Api.auth.ExportedAuthorization({ bytes: Buffer.alloc(16) });
      case 'auth.LogOut':
        key.signedIn = false;
        return new Api.auth.LoggedOut({});
      case 'messages.GetDialogs':
        return objectOf(this.dialogs);
      case 'updates.GetState':
        return new Api.updates.State({});
      case 'users.GetUsers':
        return [this.user];
      default:
        return error(400, 'METHOD_INVALID');
    }
  }

  config() {
    const { ipv4, ipv6 } = this.test ? PUBLISHED.test : PUBLISHED.production;
    const options = (table, isIPv6) => Object.entries({ ...table, ...MEDIA_ONLY }).map(
      ([id, ipAddress]) => new Api.DcOption({ id: Number(id), ipAddress, port: 443, ipv6: isIPv6 }),
    );
    const dcOptions = [...options(ipv4, false), ...options(ipv6, true)];
    return new Api.Config({ dcOptions, dcTxtDomainName: '', meUrlPrefix: '' });
  }
}

const error = (errorCode, errorMessage) => new Api.RpcError({ errorCode, errorMessage });

function bytesOf(result) {
  if (result === true) return int32(TRUE);
  if (!Array.isArray(result)) return result.getBytes();
  return Buffer.concat([int32(VECTOR, result.length), ...result.map(bytesOf)]);
}

/** Turn a TL object of a trace into teleproto's, with the other fields that the wire needs. */
function objectOf(tl) {
  const [name, namespace] = tl._.split('.').reverse();
  const Class = (namespace ? Api[namespace] : Api)[name[0].toUpperCase() + name.slice(1)];
  const fields = name === 'chat' ? { photo: { _: 'chatPhotoEmpty' } } : {};
  for (const [field, value] of Object.entries(tl)) {
    if (field === 'id') fields.id = bigInt(value);
    else if (field === 'access_hash') fields.accessHash = bigInt(value);
    else fields[field] = Array.isArray(value) ? value.map(objectOf) : value;
  }
  return new Class(fields);
}

// ---------------------------------------------------------------- the scenarios

const PHONE = '9996620000';
const CREDENTIALS = { apiId: 1, apiHash: 'hash' };
const LOGIN = {
  phoneNumber: async () => PHONE,
  phoneCode: async () => '22222',
  onError: async (failure) => { throw failure; },
};

const FILE = new Api.InputDocumentFileLocation({
  id: bigInt(1), accessHash: bigInt(1), fileReference: Buffer.alloc(1), thumbSize: '',
});

/** Each behaves like a user's program. `client()` makes a new client on the same session. */
const scenarios = {
  async connect({ client }) {
    await client().connect();
  },

  async connectAgain({ client, loggedIn }) {
    await client().connect();
    loggedIn();
    await client().connect();
    await client().connect();
  },

  async connectWithoutAKeyAtFirst({ client, telegram }) {
    telegram.down = 2;
    await client({ connectionRetries: 1 }).connect().catch(() => {});
    telegram.down = undefined;
    await client().connect();
  },

  async connectOverWebSocketAndTcp({ client, loggedIn, socket }) {
    await client({ networkSocket: socket(true) }).connect();
    loggedIn();
    await client().connect();
  },

  async signIn({ client }) {
    const one = client();
    await one.start(LOGIN);
    await one.getMe();
  },

  async signInElsewhere({ client, telegram, loggedIn }, { moves: [, [away]] }) {
    const one = client();
    await one.connect();
    loggedIn();
    telegram.home = away;
    await one.start(LOGIN);
  },

  async dialogs({ client, loggedIn }) {
    const one = client();
    await one.connect();
    loggedIn();
    await one.start(LOGIN);
    await one.invoke(new Api.messages.GetDialogs({ offsetPeer: new Api.InputPeerEmpty() }));
  },

  async migrate({ client, telegram, loggedIn }, { moves, saved }) {
    const one = client();
    await one.connect();
    loggedIn();
    for (const [dc] of saved ? moves : moves.slice(1)) {
      telegram.home = dc;
      await one.sendCode(CREDENTIALS, PHONE);
    }
  },

  async download({ client, telegram, loggedIn }, { media }) {
    const one = client();
    await one.connect();
    telegram.signIn();
    loggedIn();
    for (const dcId of [...media, ...media]) await one.downloadFile(FILE, { dcId });
  },

  async downloadAndConnect(world, options) {
    await scenarios.download(world, options);
    await world.client().connect();
  },

  async downloadAndMigrate({ client, telegram, loggedIn }, { moves: [, [away]] }) {
    const one = client();
    await one.connect();
    telegram.signIn();
    loggedIn();
    await one.downloadFile(FILE, { dcId: away });
    telegram.home = away;
    await one.checkAuthorization();
  },

  async breakMediaKey({ client, telegram, loggedIn }, { media: [dc] }) {
    const request = new Api.upload.GetFile({ location: FILE, limit: 4096 });
    const one = client();
    await one.connect();
    telegram.signIn();
    loggedIn();
    await one.invoke(request, dc);
    telegram.forgetKey(dc);
    await one.invoke(request, dc).catch(() => {});
    const another = client();
    await another.connect();
    await another.invoke(request, dc);
  },

  async breakKey({ client, telegram, loggedIn }, { media }) {
    const one = client();
    await one.connect();
    telegram.signIn();
    loggedIn();
    for (const dcId of media) await one.downloadFile(FILE, { dcId });
    telegram.forgetKey(telegram.home);
    await one.checkAuthorization();
    await one.disconnect();
    await one.connect();
  },

  async breakKeyAndConnect({ client, telegram, loggedIn }, { media }) {
    const one = client({ connectionRetries: 1 });
    await one.connect();
    telegram.signIn();
    loggedIn();
    for (const dcId of media) await one.downloadFile(FILE, { dcId });
    telegram.forgetKey(telegram.home);
    telegram.down = telegram.home;
    await one.checkAuthorization();
    telegram.down = undefined;
    await client().connect();
  },

  async logOutAndSignIn({ client, telegram, loggedIn }, { media }) {
    const one = client();
    await one.connect();
    loggedIn();
    await one.start(LOGIN);
    for (const dcId of media) await one.downloadFile(FILE, { dcId });
    await one.logOut();
    telegram.home = 2;
    await client().start(LOGIN);
  },

  async logOutAndConnect({ client, telegram, loggedIn }, { moves, saved }) {
    const one = client();
    await one.connect();
    loggedIn();
    if (!saved) {
      [, [telegram.home]] = moves;
      await one.sendCode(CREDENTIALS, PHONE);
    }
    await one.logOut();
    await client().connect();
  },
};

/** Play a scenario, and return the record. */
async function play(options) {
  const { tests, moves, login, saved, users = [], dialogs, webSocket = false } = options;
  const telegram = new Telegram(tests[0], users, dialogs);
  const session = saved ? new StringSession(saved) : new MemorySession();
  if (login) await logIn(session, telegram, ...moves[0]);
  if (saved) await knowLogin(saved, telegram);
  const calls = [];
  const proxy = recorded(session, calls, new Map());
  const socket = (isWebSocket) => socketTo(telegram, isWebSocket);
  let clients = 0;
  const client = (more) => new TelegramClient(proxy, CREDENTIALS.apiId, CREDENTIALS.apiHash, {
    connection: ConnectionTCPFull,
    networkSocket: socket(webSocket),
    testServers: tests[Math.min(clients++, tests.length - 1)],
    useIPV6: !saved && moves[0][1].includes(':'),
    baseLogger: new Logger('none'),
    ...more,
  });
  const loggedIn = () => calls.push({ mark: 'logged in' });
  await scenarios[SCENARIO]({ client, telegram, socket, loggedIn }, options);
  return calls;
}

/** Put a login into a session, as an earlier client would leave it. */
async function logIn(session, telegram, dc, address) {
  const key = new AuthKey();
  await key.setKey(telegram.makeKey(dc));
  session.setDC(dc, address, 443);
  session.setAuthKey(key);
  telegram.home = dc;
}

/** Register the login of a saved string with the servers. */
async function knowLogin(saved, telegram) {
  const session = new StringSession(saved);
  await session.load();
  telegram.home = session.dcId;
  telegram.makeKey(session.dcId);
  ADDRESSES.push([session.dcId, session.serverAddress]);
}

async function main() {
  authenticator.doAuthentication = async ({ _connection: { socket } }, log, temporary) => {
    const authKey = new AuthKey();
    await authKey.setKey(socket.makeKey(temporary));
    return { authKey, timeOffset: 0 };
  };
  const records = [];
  for (const options of JSON.parse(readFileSync(0, 'utf8'))) records.push(await play(options));
  process.stdout.write(JSON.stringify(records), () => process.exit());
}

main();
