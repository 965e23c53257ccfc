"""Every faulty session fails the suite, for the rule that it breaks and for no other."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from known_bad import REGISTERED, KnownBad, blob, ent, flag, store, strings
from teleproto_conformance.checks.checker import Checker, in_memory
from teleproto_conformance.checks.effort import EFFORTS, STANDARD, Effort
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Check, Generated
from teleproto_conformance.subjects import hosted, in_process
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool

CONTRACT = vectors.load()

BASES = [
    blob.BlobSession,
    blob.ThroughSession,
    ent.Cached,
    ent.Hashed,
    flag.Flagged,
    store.Rewritten,
    store.Tolerant,
    strings.Coded,
    strings.FromTelethon,
    strings.Lenient,
]
HOSTED = {
    *(rule for rule in CONTRACT.rules if rule.startswith(("ISO-", "DUR-", "SEC-"))),
    "MEM-3",
    "MEM-4",
}
"""Rules that take processes of their own, or every name there is. They combine what others check,
and cost far more; so only the sessions that were written for them are asked."""
LIMIT = 5.0
"""Seconds that a call may take."""


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in this process is not killed, so nothing has to be on the disk for certain."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(os, "sync", lambda: None)
    if (memory := in_memory()) is not None:
        monkeypatch.setattr(tempfile, "tempdir", str(memory))


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Starts the processes that sessions run in."""
    made = ForkServer()
    yield made
    made.close()


def expected_rules(known: KnownBad) -> set[str]:
    rules = {known.rule, *known.also}
    if known.using is not None:
        rules |= {
            check.rule
            for check in CONTRACT.checks(known.profile)
            if not isinstance(check, Generated)
            and check.rule not in HOSTED
            and any(step.operation == known.using for step in check.trace)
        }
    return rules


def failed_rules(
    session: type[Any],
    profile: str,
    named: set[str],
    server: ForkServer,
    effort: Effort = STANDARD,
) -> set[str]:
    """The rules that `session` fails, each found by its first check that does.

    What is drawn at run time combines what other rules check, too, and depends on the version of
    Hypothesis. Those and the hosted ones are asked only for the rules in `named`; the others
    are asked all their cases, through a host where a case restarts the program.
    """
    here = Checker(CONTRACT, profile, in_process.driver(session, CONTRACT))
    members = CONTRACT.members
    text = f"{session.__module__}:{session.__qualname__}"
    pool = Pool(server, text, sys.path, members, LIMIT)
    pool.keep = False
    there = Checker(CONTRACT, profile, hosted.driver(pool), effort=effort, scratch=in_memory())

    def fails(check: Check) -> bool:
        apart = check.rule in HOSTED or _restarts(check)
        return (there if apart else here).run(check) is not None

    failed: set[str] = set()
    for check in CONTRACT.checks(profile):
        special = isinstance(check, Generated) or check.rule in HOSTED
        if check.rule in failed or (special and check.rule not in named):
            continue
        if fails(check):
            failed.add(check.rule)
            if CONTRACT.rules[check.rule].gate:
                break  # the suite refuses such a class, and checks nothing else
    pool.close()
    return failed


def _restarts(check: Check) -> bool:
    return not isinstance(check, Generated) and any(
        step.operation == "restart" for step in check.trace
    )


def in_order(rules: set[str]) -> str:
    place = {rule: number for number, rule in enumerate(CONTRACT.rules)}
    return " ".join(sorted(rules, key=lambda rule: place.get(rule, -1))) or "nothing"


@pytest.mark.parametrize("known", REGISTERED, ids=str)
def test_fails_for_the_rule_it_breaks(
    known: KnownBad, server: ForkServer, record_property: Any
) -> None:
    expected = expected_rules(known)
    got = failed_rules(known.session, known.profile, expected, server)
    record_property("fails", in_order(got))
    if got != expected:
        pytest.fail(
            f"{known}: expected {in_order(expected)}; missed {in_order(expected - got)}; "
            f"failed beyond it {in_order(got - expected)}",
            pytrace=False,
        )


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
def test_nothing_is_wrong_before_the_mistake(base: type[Any], server: ForkServer) -> None:
    every_rule = set(CONTRACT.rules)
    got = failed_rules(base, base.session_profile, every_rule, server, EFFORTS["quick"])
    if got:
        pytest.fail(f"{base.__name__} was to be correct, and failed {in_order(got)}", pytrace=False)


def test_every_rule_has_a_known_bad_session() -> None:
    rules = {rule.id for rule in CONTRACT.rules.values() if rule.excluded is None}
    without = rules - {known.rule for known in REGISTERED}
    assert not without, f"no known-bad session was written for {in_order(without)}"


@pytest.mark.parametrize("known", REGISTERED, ids=str)
def test_names_rules_that_bind_its_profile(known: KnownBad) -> None:
    for rule in (known.rule, *known.also):
        assert rule in CONTRACT.rules, f"{known} names {rule}, which the contract does not have"
        assert known.profile in CONTRACT.rules[rule].profiles, (
            f"{known} names {rule}, which does not bind the profile {known.profile}"
        )


@pytest.mark.parametrize("known", REGISTERED, ids=str)
def test_says_its_mistake_in_one_sentence(known: KnownBad) -> None:
    sentence = " ".join((vars(known.session).get("__doc__") or "").split())
    assert sentence.endswith("."), f"{known} does not say what its mistake is"
    assert ". " not in sentence, f"{known} says more than one sentence"


def test_has_a_name_of_its_own() -> None:
    names = [known.session.__name__ for known in REGISTERED]
    assert len(names) == len(set(names))
