'use strict';

/** The class cannot be used. The message is one line for the user. */
class Refusal extends Error {}

module.exports = { Refusal };
