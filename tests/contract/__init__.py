"""The contract in memory: its documents, its secrets, and what it says twice."""
