'use strict';

// The Node host: serves one session class to the suite, as spec/HOSTS.md says. Requests come on
// descriptor 3 and answers go to 4, so that whatever the session prints is none.
//
// The sessions get what they would get from the client: AuthKey and Api objects and big integers of
// the teleproto (or gramjs) that is installed for them.

// One thread for the file system: the suite counts the writes of a change, and several threads could
// make them in any order.
process.env.UV_THREADPOOL_SIZE = '1';

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
