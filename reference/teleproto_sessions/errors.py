"""The errors of sessions.

Messages give the cause and the remedy. They never repeat a saved string, a key or the content of a
file: each of these is a login, and errors end up in logs.
"""


class SessionError(Exception):
    """The base class of the errors below."""


class InvalidDataCentre(SessionError, ValueError):
    """An impossible data centre id, address or port."""


class InvalidAuthKey(SessionError, ValueError):
    """A value that is not an auth key of 256 bytes."""


class InvalidSessionString(SessionError, ValueError):
    """A saved string that does not hold a valid login."""


class InvalidSessionName(SessionError, ValueError):
    """A name that cannot be a session's directory."""


class TestServersLocked(SessionError):
    """An attempt to change the test-servers flag after login."""

    __test__ = False  # pytest would take the name for a test class


class EntityNotFound(SessionError, ValueError):
    """A look-up of an entity that the session has not seen."""


class DamagedSession(SessionError):
    """A stored file that is damaged or missing."""
