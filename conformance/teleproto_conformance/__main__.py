"""``python -m teleproto_conformance`` runs the console script."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
