"""Measurements, two sides in one run: ``python -m benchmarks``."""
