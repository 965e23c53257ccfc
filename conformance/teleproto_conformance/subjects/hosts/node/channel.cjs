'use strict';

// The channel to the suite: one JSON document on each line.

const fs = require('fs');

const [REQUESTS, ANSWERS] = [3, 4];

/** Reads lines from a descriptor. All other work stops while it waits for a line. */
class Lines {
  constructor(fd) {
    this.fd = fd;
    this.chunk = Buffer.alloc(1 << 16);
    this.rest = Buffer.alloc(0);
  }

  /** Return the next line, or null at the end of the input. */
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
      // When the suite makes one write of the session fail, it can hit this write instead.
      failures += 1;
      if (failures > 1) throw error;
    }
  }
}

module.exports = { Lines, REQUESTS, send };
