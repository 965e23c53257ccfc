"""The checks: the player runs traces on a session and judges the outcomes."""
