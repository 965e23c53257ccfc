"""The names of sessions in the storage, and in messages."""

from __future__ import annotations

import pytest
from teleproto_conformance.checks import names
from teleproto_conformance.checks.names import Names
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.trace import Trace, parse
from teleproto_conformance.subjects.subject import Died, Raised, Returned

CONTRACT = vectors.load()
PLAIN = parse([{"open": []}, {"load": []}, {"damage": ["my-account"]}])
NAMED = parse([{"open": ["local"]}, {"load": []}])
TWO = parse([{"open": []}, {"open": ["my"], "session": "other"}])


def _names(profile: str, trace: Trace, number: int = 7) -> Names:
    return Names(CONTRACT.profiles[profile], "conformance-1", number, trace)


@pytest.mark.parametrize("profile", ["store", "teleproto-store", "custom"])
def test_two_traces_have_different_names(profile: str) -> None:
    stored = {_names(profile, PLAIN, number).stored(None) for number in range(20)}
    assert len(stored) == 20


@pytest.mark.parametrize("name", [None, "my-account"])
def test_the_default_name_is_the_same_whether_it_is_written_or_not(name: str | None) -> None:
    assert _names("store", PLAIN).stored(name) == "my-account-7"


@pytest.mark.parametrize("trace", [NAMED, TWO])
def test_a_trace_about_names_keeps_them_and_says_so(trace: Trace) -> None:
    given = _names("store", trace)
    assert given.fixed
    assert [given.stored(name) for name in (None, "local")] == ["my-account", "local"]
    assert given.into({"my-account/file": ""}) == {"my-account/file": ""}


def test_a_name_in_shared_storage_is_never_that_of_another_trace() -> None:
    given = _names("custom", NAMED)
    assert not given.fixed
    assert given.stored("local") == "conformance-1-7-local"


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ([" account", ".account", "/account"], [" a{}ccount", ".a{}ccount", "/a{}ccount"]),
        (["Account", "account"], ["Ac{}count", "ac{}count"]),
        (["Aa-account", "BB-account"], ["Aa-a{}ccount", "BB-a{}ccount"]),
    ],
)
def test_a_name_in_shared_storage_begins_as_in_the_trace(
    given: list[str], stored: list[str]
) -> None:
    names = _names("custom", parse([{"restore": [name]} for name in given]))
    made = [names.stored(name) for name in given]
    assert made == [name.format("-conformance-1-7-") for name in stored]
    assert names.back(made) == given


def test_a_number_in_shared_storage_remains_a_number() -> None:
    given = ["1", "01", "+1", "1.0", "1e1", "10", "-1", " 1"]
    names = _names("custom", parse([{"restore": [name]} for name in given]))
    made = [names.stored(name) for name in given]
    one, *others, ten, more, negative, blank = map(float, made)
    assert 10**14 < one < 2**53
    assert {*others, blank, -negative} == {one}
    assert ten == more == one * 10
    assert names.back(made) == given


def test_names_without_a_common_letter_begin_with_the_text_of_their_own() -> None:
    names = _names("custom", parse([{"restore": ["account"]}, {"restore": ["*"]}]))
    assert names.stored("*") == "conformance-1-7-*"
    assert names.stored("account") == "conformance-1-7-account"


def test_paths_have_the_name_in_the_storage_and_are_told_with_that_of_the_trace() -> None:
    given = _names("store", PLAIN)
    files = {"my-account/my-account%3AdcId": "2", "my-account-2/note": "kept", "my/note": "kept"}
    stored = given.into(files)
    assert [*stored] == ["my-account-7/my-account-7%3AdcId", "my-account-7-2/note", "my/note"]
    assert given.back(stored) == files
    assert given.back(["/tmp/work/my-account-7/lock"]) == ["/tmp/work/my-account/lock"]


def test_an_error_is_told_with_the_name_of_the_trace() -> None:
    given = _names("store", PLAIN)
    told = given.told(Raised("E: no my-account-7", "in my-account-7", fatal=True))
    assert told == Raised("E: no my-account", "in my-account", fatal=True)
    assert given.told(Returned(["my-account-7", 7])) == Returned(["my-account", 7])
    assert given.told(Died("at my-account-7")) == Died("at my-account-7")


def test_an_error_in_shared_storage_is_told_with_the_name_of_the_trace() -> None:
    given = _names("custom", NAMED)
    told = given.told(Raised(f"E: no {given.stored('local')}"))
    assert told == Raised("E: no local")


def test_few_traces_are_about_names() -> None:
    asked = [check for check in CONTRACT.checks("teleproto-store") if hasattr(check, "trace")]
    fixed = {check.rule for check in asked if names.matter(check.trace)}
    assert {"STORE-3", "STORE-4", "STORE-5", "ISO-1", "ISO-4"} <= fixed
    assert fixed.isdisjoint({"STORE-2", "STORE-7", "STORE-10", "DC-1", "ENT-1"})
