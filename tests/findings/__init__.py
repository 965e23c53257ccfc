"""What a run tells: findings and reports."""
