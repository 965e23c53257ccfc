"""The contract in memory: operations, traces, rules, keys, formats, documents and vectors."""
