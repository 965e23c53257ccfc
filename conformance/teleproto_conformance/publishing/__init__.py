"""Makes the vectors and the rule catalogue from the YAML."""
