"""The contract in memory: its documents, its secrets, and the facts that it states twice."""
