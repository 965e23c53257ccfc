"""Run the suite with the options given, or on each of the three reference sessions."""

import subprocess
import sys

SESSIONS = ("MemorySession", "StringSession", "StoreSession")


def main() -> int:
    runs = (
        [sys.argv[1:]]
        if sys.argv[1:]
        else [
            [
                f"--session-impl=teleproto_sessions.{name}",
                "--session-strict",
                "--session-require=faults",
                *("-n", "logical", "--dist", "worksteal"),
            ]
            for name in SESSIONS
        ]
    )
    codes = [subprocess.run([sys.executable, "-m", "pytest", *run]).returncode for run in runs]
    return next((abs(code) for code in codes if code), 0)


if __name__ == "__main__":
    raise SystemExit(main())
