"""The options of pytest, the settings, and the wheel."""
