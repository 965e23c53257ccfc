'use strict';

// The Node host: runs one session class for the suite (spec/HOSTS.md). It reads requests from
// descriptor 3 and writes answers to descriptor 4. This keeps output of the session out of the
// channel.
//
// The sessions get the same objects as from the client: AuthKey and Api objects and big integers of
// the installed teleproto (or gramjs).

// Use one thread for the file system. The suite counts the writes of a change, and several threads
// could make them in any order.
process.env.UV_THREADPOOL_SIZE = '1';

// The compiled code of this run is not for programs that the session starts.
delete process.env.NODE_COMPILE_CACHE;

const { Lines, REQUESTS, send } = require('./channel.cjs');
const { Refusal } = require('./refusal.cjs');
const { Host, isPromise } = require('./requests.cjs');

async function serve() {
  const host = new Host();
  const lines = new Lines(REQUESTS);
  for (let line = lines.next(); line !== null; line = lines.next()) {
    let answer;
    try {
      const request = JSON.parse(line);
      if (request.do === 'exit') break;
      answer = host.answer(request);
      // Await only promises, because an await lets deferred work run. A client that does not wait
      // continues before that work.
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
