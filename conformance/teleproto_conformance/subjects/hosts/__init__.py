"""Programs that run a session class for the suite: one for Python, one for Node."""
