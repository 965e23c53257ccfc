"""The session under test, wherever it runs: in this process, or served by a host in another."""
