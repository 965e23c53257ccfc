"""System calls of another process: seen, made to fail, or the last thing that it does."""
