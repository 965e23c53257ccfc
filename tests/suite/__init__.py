"""The suite itself: its options, messages, reports, documents, vectors and generators."""
