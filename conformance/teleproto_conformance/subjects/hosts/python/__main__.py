"""``python -m teleproto_conformance.subjects.hosts.python``."""

from .host import main

if __name__ == "__main__":
    main()
