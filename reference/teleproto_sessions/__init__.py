"""The reference model of teleproto's sessions, short and meant to be read.

Start with `session` (the surface), then `memory` (the behaviour), then `string` and `store`.
"""

from teleproto_sessions import tl
from teleproto_sessions.authkey import AuthKey
from teleproto_sessions.errors import (
    DamagedSession,
    EntityNotFound,
    InvalidAuthKey,
    InvalidDataCentre,
    InvalidSessionName,
    InvalidSessionString,
    SessionError,
    TestServersLocked,
)
from teleproto_sessions.memory import MemorySession
from teleproto_sessions.session import Session
from teleproto_sessions.store import StoreSession
from teleproto_sessions.string import StringSession

__all__ = [
    "AuthKey",
    "DamagedSession",
    "EntityNotFound",
    "InvalidAuthKey",
    "InvalidDataCentre",
    "InvalidSessionName",
    "InvalidSessionString",
    "MemorySession",
    "Session",
    "SessionError",
    "StoreSession",
    "StringSession",
    "TestServersLocked",
    "tl",
]
