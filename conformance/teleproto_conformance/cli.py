"""The console script: shows the rules, writes the vectors, and checks host programs."""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .contract import paths
from .errors import ConformanceError, UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``teleproto-conformance``.

    :returns: 0; 1 if ``vectors check`` finds drift, or if a requirement of ``host`` fails or cannot
        be tested; 2 if an argument or a file cannot be used.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except ConformanceError as error:
        print(f"teleproto-conformance: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            with contextlib.suppress(OSError):
                print(f"teleproto-conformance: {error.strerror}", file=sys.stderr)
            return 2
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="teleproto-conformance",
        description="The contract of Telegram sessions: its rules and its golden vectors.",
        epilog="Run the suite with: pytest --session-impl=package.module.Class",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    rules = commands.add_parser("rules", help="list every rule")
    rules.set_defaults(run=_rules)

    explain = commands.add_parser("explain", help="show a rule and the traces that check it")
    explain.add_argument("rule", help="a rule or a check, such as DC-3 or DC-3[round-trip-1-to-2]")
    explain.set_defaults(run=_explain)

    vectors = commands.add_parser("vectors", help="write or check the golden vectors")
    vectors.add_argument("action", choices=("generate", "check"))
    vectors.add_argument(
        "--spec", type=Path, default=paths.SPEC, help="directory of the contract (%(default)s)"
    )
    vectors.add_argument(
        "--vectors", type=Path, default=paths.VECTORS, help="directory of the vectors (%(default)s)"
    )
    vectors.set_defaults(run=_vectors)

    host = commands.add_parser("host", help="check a host program against spec/HOSTS.md")
    host.add_argument(
        "--implementation",
        metavar="TEXT",
        help="the class to test, as in --session-impl (default: exec: and the command)",
    )
    host.add_argument(
        "--profile", metavar="NAME", help="the profile of the class, if it does not declare one"
    )
    host.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="the command that starts the host, such as: perl host.pl",
    )
    host.set_defaults(run=_host)
    return parser


def _rules(options: argparse.Namespace) -> int:
    from .contract import vectors
    from .publishing import catalogue

    print(catalogue.listing(vectors.load()))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from .contract import vectors
    from .publishing import catalogue

    print(catalogue.explain(vectors.load(), options.rule))
    return 0


def _host(options: argparse.Namespace) -> int:
    from . import validator

    words = options.command[options.command[:1] == ["--"] :]
    if not words:
        raise UsageError("host: write the command that starts a host, such as perl host.pl")
    return validator.main(words, options.implementation, options.profile)


def _vectors(options: argparse.Namespace) -> int:
    from .publishing.generate import check, generate

    gc.disable()  # all data stays in use until the end, so a collection frees nothing
    if options.action == "generate":
        contract = generate(options.spec, options.vectors)
        drift: list[str] = []
    else:
        contract, drift = check(options.spec, options.vectors)
    for line in drift:
        print(line)
    if drift:
        print("the vectors have drifted; run `teleproto-conformance vectors generate`")
        return 1
    cases = sum(len(chapter.cases) for chapter in contract.chapters)
    counts = f"{len(contract.rules)} rules, {cases} cases"
    print(f"contract {contract.version}: {counts}, in {options.vectors}")
    return 0
