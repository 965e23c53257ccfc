"""What a session refuses, and why.

Messages say what is wrong and what to do about it. They never repeat a saved string, a key or the
content of a file: an error ends up in logs, and any of these is a login.
"""


class SessionError(Exception):
    """The base of every error that a session raises on purpose."""


class InvalidDataCentre(SessionError, ValueError):
    """A data centre id, address or port that no data centre can have."""


class InvalidAuthKey(SessionError, ValueError):
    """Something that is not an auth key of 256 bytes."""


class InvalidSessionString(SessionError, ValueError):
    """A saved string that no login can be read from."""


class InvalidSessionName(SessionError, ValueError):
    """A name that cannot be a session's directory."""


class TestServersLocked(SessionError):
    """The flag was assigned another value after the login that it belongs to."""

    __test__ = False  # pytest would take the name for a test class


class EntityNotFound(SessionError, ValueError):
    """The session has not seen the entity that was asked for."""


class DamagedSession(SessionError):
    """A stored file that cannot be what a session wrote."""
