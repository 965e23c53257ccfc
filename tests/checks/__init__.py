"""Traces drawn at run time, and how they are cut down."""
