"""From YAML to the vectors."""
