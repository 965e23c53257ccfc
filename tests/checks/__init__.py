"""Random traces made at run time, and how failing ones are shortened."""
