"""The output of a run: findings and reports."""
