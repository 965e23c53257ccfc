"""Sessions in processes of their own, and the tracer."""
