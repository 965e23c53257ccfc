"""Every known-bad session fails exactly the rules that it breaks."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from known_bad import accounts, blob, ent, flag, registered, store, strings
from known_bad.registry import AMONG_OTHERS, KnownBad
from support.reaching import Reach, differences
from teleproto_conformance.checks.checker import Checker, in_memory
from teleproto_conformance.checks.effort import EFFORTS, STANDARD, Effort
from teleproto_conformance.checks.sharing import Sharing
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Check, Generated
from teleproto_conformance.subjects import hosted, in_process
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool
from teleproto_sessions import MemorySession, StoreSession, StringSession

CONTRACT = vectors.load()
REGISTERED = registered()

BASES = [
    accounts.AccountsSession,
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
"""Rules whose checks need new processes or many names. They are slow and combine other rules, so
they run only on the sessions that name them."""
CORRECT = [*BASES, MemorySession, StringSession, StoreSession]
REACH = Reach(CORRECT, without=HOSTED)
SPARED = [known for known in REGISTERED if differences(known.session, CORRECT) is not None]
"""Sessions whose mistake is known to be in some methods. Checks that call none are left out."""
SAMPLE = SPARED[6::30]
"""Each run also plays on these sessions the checks that never reach their mistake."""
LIMIT = 5.0
"""Seconds that a call may take."""


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk: sessions in this process are never killed."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(os, "sync", lambda: None)
    if (memory := in_memory()) is not None:
        monkeypatch.setattr(tempfile, "tempdir", str(memory))


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Start the processes in which sessions run."""
    made = ForkServer()
    yield made
    made.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "unspared" in metafunc.fixturenames:
        whole = metafunc.config.getoption("--whole-matrix")
        metafunc.parametrize("unspared", SPARED if whole else SAMPLE, ids=str)


def failed_rules(
    session: type[Any],
    profile: str,
    named: set[str],
    server: ForkServer,
    effort: Effort = STANDARD,
    *,
    spared: Collection[str] = (),
) -> set[str]:
    """Return the rules that `session` breaks; after its first failure, a rule is not checked again.

    A check that is blocked does not break its rule.

    Generated checks also combine other rules, and depend on the version of Hypothesis. These and
    the rules in `HOSTED` are checked only if `named` contains them. All other rules are checked
    with all their cases except `spared`, through a host if a case restarts the program.
    """
    here = Checker(CONTRACT, profile, in_process.driver(session, CONTRACT))
    members = CONTRACT.members
    text = f"{session.__module__}:{session.__qualname__}"
    pool = Pool(server, text, sys.path, members, LIMIT)
    checker = Checker(CONTRACT, profile, hosted.driver(pool), effort=effort, scratch=in_memory())
    there = Sharing(checker, pool, forgiving=checker.promise.takes == "name")

    def fails(check: Check) -> bool:
        apart = check.rule in HOSTED or _restarts(check)
        failure = (there if apart else here).run(check)
        return failure is not None and not failure.blocked

    failed: set[str] = set()
    for check in CONTRACT.checks(profile):
        special = isinstance(check, Generated) or check.rule in HOSTED
        if check.rule in failed or (special and check.rule not in named):
            continue
        if check.id in spared:
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
    expected = {known.rule, *known.also}
    spared = REACH.never_called(known.session, known.profile)
    got = failed_rules(known.session, known.profile, expected, server, spared=spared)
    record_property("fails", in_order(got))
    if got != expected:
        pytest.fail(
            f"{known}: expected {in_order(expected)}; missed {in_order(expected - got)}; "
            f"failed in addition {in_order(got - expected)}",
            pytrace=False,
        )


def test_a_check_that_never_reaches_a_mistake_does_not_show_it(
    unspared: KnownBad, server: ForkServer
) -> None:
    """So the test above leaves it out. ``--whole-matrix`` proves this for every session."""
    profile = unspared.profile
    never = REACH.never_called(unspared.session, profile)
    if not never:
        pytest.skip("every check reaches its mistake, so none is left out")
    others = {check.id for check in CONTRACT.checks(profile)} - never
    got = failed_rules(unspared.session, profile, set(), server, spared=others)
    assert not got, f"{unspared} fails {in_order(got)} in checks that were left out"


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
def test_the_session_without_the_mistake_is_correct(base: type[Any], server: ForkServer) -> None:
    every_rule = set(CONTRACT.rules)
    got = failed_rules(base, base.session_profile, every_rule, server, EFFORTS["quick"])
    if got:
        pytest.fail(f"{base.__name__} must be correct, but fails {in_order(got)}", pytrace=False)


@pytest.mark.parametrize(
    ("session", "rule"),
    AMONG_OTHERS.items(),
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_fails_among_other_sessions(session: type[Any], rule: str, server: ForkServer) -> None:
    """Alone, these sessions act as their base, which is correct. So one rule is enough."""
    assert session.__mro__[1] in BASES or session.__mro__[2] in BASES
    profile = session.session_profile
    others = {check.id for check in CONTRACT.checks(profile) if check.rule != rule}
    assert failed_rules(session, profile, {rule}, server, spared=others) == {rule}


def test_every_rule_has_a_known_bad_session() -> None:
    rules = {rule.id for rule in CONTRACT.rules.values() if rule.excluded is None}
    without = rules - {known.rule for known in REGISTERED}
    assert not without, f"these rules have no known-bad session: {in_order(without)}"


@pytest.mark.parametrize("known", REGISTERED, ids=str)
def test_names_rules_that_bind_its_profile(known: KnownBad) -> None:
    for rule in (known.rule, *known.also):
        assert rule in CONTRACT.rules, f"{known} names {rule}, but the contract has no such rule"
        assert known.profile in CONTRACT.rules[rule].profiles, (
            f"{known} names {rule}, but this rule does not bind the profile {known.profile}"
        )


@pytest.mark.parametrize("known", REGISTERED, ids=str)
def test_states_its_mistake_in_one_sentence(known: KnownBad) -> None:
    sentence = " ".join((vars(known.session).get("__doc__") or "").split())
    assert sentence.endswith("."), f"{known} needs a docstring that states its mistake"
    assert ". " not in sentence, f"the docstring of {known} has more than one sentence"


def test_names_are_unique() -> None:
    names = [known.session.__name__ for known in REGISTERED]
    assert len(names) == len(set(names))
