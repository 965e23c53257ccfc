"""Check any Telegram session class against the session contract."""

__version__ = "1.0.0"
