"""The validator of host programs."""
