"""Traces that are drawn at run time."""
