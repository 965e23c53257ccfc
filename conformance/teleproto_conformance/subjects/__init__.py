"""The session under test: in this process, or in another one behind a host."""
