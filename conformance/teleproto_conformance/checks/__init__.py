"""What is asked of a session: traces played and judged, one check at a time."""
