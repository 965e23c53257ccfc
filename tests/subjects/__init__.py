"""Sessions in separate processes, and the tracer."""
