"""Correct sessions of very different build; none of them knows the reference model's classes."""
