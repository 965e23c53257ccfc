"""Shared helpers: programs run as a user runs them, contracts to change, schemas."""
