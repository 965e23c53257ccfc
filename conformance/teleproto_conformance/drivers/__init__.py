"""Ways to reach a session class: each module makes subjects of one kind."""
