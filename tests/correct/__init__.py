"""Correct sessions of very different designs, written without the reference model's sessions."""
