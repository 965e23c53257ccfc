"""What a run comes to: findings in words, baselines, reports."""
