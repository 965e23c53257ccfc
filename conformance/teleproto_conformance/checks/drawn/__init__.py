"""Traces drawn at run time."""
