"""From YAML to what others read: the vectors and the rule catalogue."""
