"""The reference model, module by module."""
