"""The host for Python classes."""
