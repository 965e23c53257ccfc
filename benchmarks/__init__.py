"""Measurements that compare two sides in one run: ``python -m benchmarks``."""
