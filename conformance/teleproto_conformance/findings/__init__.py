"""The results of a run: findings in words, baselines, reports."""
