"""Run all measurements, or those that the arguments name."""

import sys

from .javascript import javascript
from .sessions import lookups, strings, writes
from .startup import startup
from .suite import efforts, generate, hosts, whole_run
from .tracing import tracing

ALL = {
    "strings": strings,
    "lookups": lookups,
    "writes": writes,
    "suite": whole_run,
    "efforts": efforts,
    "hosts": hosts,
    "tracing": tracing,
    "javascript": javascript,
    "vectors": generate,
    "startup": startup,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        ALL[name]()
