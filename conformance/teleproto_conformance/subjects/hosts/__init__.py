"""Programs that serve a session class to the suite: one for Python, one for Node."""
