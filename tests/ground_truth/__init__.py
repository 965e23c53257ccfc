"""The reference model against what published libraries really do."""
