'use strict';

/** A line for the user: the class cannot be had. */
class Refusal extends Error {}

module.exports = { Refusal };
