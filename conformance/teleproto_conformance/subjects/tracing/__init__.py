"""Traces a process: lists its system calls, makes one fail, or kills the process before one."""
