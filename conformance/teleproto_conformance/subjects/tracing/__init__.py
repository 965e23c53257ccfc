"""Tracing another process: list its system calls, make one fail, or kill the process before one."""
