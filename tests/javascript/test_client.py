"""The calls of teleproto's real client, compared with the traces of the CLIENT chapter.

``client.cjs`` runs the published client, replaces only the network, and records the calls of the
session. Each trace of the chapter is compared with this record. Both sides must make the same
calls that change the session or give it a value, in the same order. The arguments, the bytes of a
key, and the AuthKey object that holds them must be equal. Three differences are allowed for all
checks:

* The client may read more than the trace. But between two changes, it must read everything that the
  trace reads there, in the same order and with the same results.
* The client reads one property at a time, and never ``auth_key`` or ``test_servers``. So only the
  suite makes an ``observe`` of these or of several members. The same holds for every
  ``get_input_entity``, and for every read after the last change of a trace.
* The client gives every answer of the server to ``process_entities``. Traces leave out answers
  without a user or a chat, because these change nothing.

Whether the client waits for a call is not compared. If a trace has fewer calls than the client,
``PLAYED`` says which are missing, and why.
"""

from __future__ import annotations

import copy
import functools
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.rules import Case
from teleproto_sessions import StringSession

from .installed import program

Record = list[dict[str, Any]]
Play = Callable[[str], dict[str, Record]]

CLIENT = Path(__file__).with_name("client.cjs")
CONTRACT = vectors.load()
CASES = {
    case.id: case
    for chapter in CONTRACT.chapters
    if chapter.id == "CLIENT"
    for case in chapter.cases
}
NAMES = {member.teleproto: name for name, member in CONTRACT.members.items()}
READ_PROPERTIES = ("dc_id", "server_address", "port")
READS = (*READ_PROPERTIES, "get_auth_key", "get_input_entity")
ENTITIES = {"user", "users", "chat", "chats", "channel"}
FIRST = 2
"""The data centre of a first connect."""


@dataclass(frozen=True)
class Played:
    """How to make the client do the steps of a scenario of the chapter.

    With ``login_in_short`` the trace has only some calls of the login; CLIENT-1 has all of them.
    ``left_out`` are the changes of the client that the trace leaves out, in order. ``breaks_off``
    says that the client continues after the end of the trace. An entry that allows more than
    necessary fails.
    """

    scenario: str
    web_socket: bool = False
    login_in_short: bool = False
    left_out: tuple[str, ...] = ()
    breaks_off: bool = False
    reason: str = ""


REST_OF_A_CONNECT = ("set_auth_key A", "save")
CONNECT = ("set_auth_key A", *REST_OF_A_CONNECT)

PLAYED = {
    "CLIENT-1[tcp]": Played("connect"),
    "CLIENT-1[web-socket]": Played("connect", web_socket=True),
    "CLIENT-1[interrupted]": Played("connectWithoutAKeyAtFirst"),
    "CLIENT-1[other-servers-after-all]": Played(
        "connectWithoutAKeyAtFirst",
        breaks_off=True,
        reason="It is about the flag, which the client sets before the rest of its connect.",
    ),
    "CLIENT-2[sign-in]": Played("signIn"),
    "CLIENT-2[sign-in-elsewhere]": Played("signInElsewhere"),
    "CLIENT-2[first-dialogs]": Played("dialogs", login_in_short=True),
    "CLIENT-3[same-object]": Played(
        "connectAgain",
        login_in_short=True,
        breaks_off=True,
        reason="Its last connect ends when the client reads the key.",
    ),
    "CLIENT-3[another-transport]": Played(
        "connectOverWebSocketAndTcp",
        login_in_short=True,
        breaks_off=True,
        reason="It is about the address, which the client sets before the rest of its connect.",
    ),
    "CLIENT-3[from-a-string]": Played("connect"),
    "CLIENT-3[from-a-telethon-string]": Played("connect"),
    "CLIENT-3[from-an-announced-address]": Played(
        "connectAgain",
        left_out=REST_OF_A_CONNECT,
        breaks_off=True,
        reason="It is about the flag, and shortens each connect.",
    ),
    "CLIENT-4[there-and-back]": Played("migrate"),
    "CLIENT-4[on-and-on]": Played(
        "migrate",
        login_in_short=True,
        left_out=(
            *("set test_servers", "set_auth_key B", "save"),
            *("set test_servers", "set_auth_key C", "save"),
        ),
        breaks_off=True,
        reason="Each migration is shortened; there-and-back has a complete one.",
    ),
    "CLIENT-4[from-a-string]": Played(
        "migrate",
        left_out=(*CONNECT, "set_auth_key B", "save"),
        breaks_off=True,
        reason="Each connect is shortened; there-and-back has complete ones.",
    ),
    "CLIENT-5[download]": Played("download", login_in_short=True),
    "CLIENT-5[several]": Played(
        "downloadAndConnect",
        login_in_short=True,
        breaks_off=True,
        reason="Its last connect ends when the session is loaded.",
    ),
    "CLIENT-5[broken]": Played("breakMediaKey", login_in_short=True),
    "CLIENT-5[becomes-home]": Played("downloadAndMigrate", login_in_short=True),
    "CLIENT-5[string-saves-home]": Played(
        "download", left_out=CONNECT, reason="The connect before the download is shortened."
    ),
    "CLIENT-6[main]": Played("breakKey", login_in_short=True),
    "CLIENT-6[reconnected]": Played("breakKeyAndConnect", login_in_short=True),
    "CLIENT-6[from-a-string]": Played(
        "breakKeyAndConnect",
        left_out=(*CONNECT, "set test_servers"),
        breaks_off=True,
        reason="Each connect is shortened; CLIENT-3 has complete ones.",
    ),
    "CLIENT-7[new-login]": Played("logOutAndSignIn", login_in_short=True),
    "CLIENT-7[after-migration]": Played(
        "logOutAndConnect",
        login_in_short=True,
        left_out=("set test_servers", "set_auth_key blank", "set_auth_key B", "save"),
        breaks_off=True,
        reason="Migration and connect are shortened; CLIENT-4 and new-login have complete ones.",
    ),
    "CLIENT-7[from-a-string]": Played(
        "logOutAndConnect",
        left_out=CONNECT,
        breaks_off=True,
        reason="Each connect is shortened; CLIENT-1 and CLIENT-3 have complete ones.",
    ),
}

A_RESTART = "A restart tests the storage. A client would do the same as in from-a-string."
NEVER_GOES_BACK = "A client stays at a data centre even if it cannot reach it."
NOT_PLAYED = {
    "CLIENT-3[string-round]": "It is tcp followed by from-a-string.",
    "CLIENT-3[restarted]": A_RESTART,
    "CLIENT-3[restarted-before-the-key]": A_RESTART,
    "CLIENT-4[interrupted]": NEVER_GOES_BACK,
    "CLIENT-4[restarted]": A_RESTART,
    "CLIENT-5[restarted]": A_RESTART,
    "CLIENT-6[broken-after-migration]": NEVER_GOES_BACK,
    "CLIENT-6[restarted]": A_RESTART,
    "CLIENT-6[restarted-at-the-break]": A_RESTART,
    "CLIENT-7[after-migration-4-to-2]": "A client connects to data centre 2 after a log-out.",
    "CLIENT-7[restarted]": A_RESTART,
    "CLIENT-8[entities]": "Calls that overlap have no fixed order.",
    "CLIENT-8[saves]": "Calls that overlap have no fixed order.",
    "CLIENT-8[entities-and-saves]": "Calls that overlap have no fixed order.",
    "CLIENT-8[loads]": "Calls that overlap have no fixed order.",
    "CLIENT-8[same-key]": "Calls that overlap have no fixed order.",
    "CLIENT-8[changed-while-loading]": "Calls that overlap have no fixed order.",
}


def scenario_of(check: str) -> str:
    """Return the longest entry of the tables above that fits a check."""
    fitting = [
        entry
        for entry in (*PLAYED, *NOT_PLAYED)
        if check == entry or check.startswith(f"{entry[:-1]}-")
    ]
    return max(fitting, key=len)


CHECKS = [check for check in CASES if scenario_of(check) in PLAYED]


@dataclass(frozen=True)
class Act:
    """One call, read or write of a session, in a trace or by the client."""

    operation: str
    given: list[Any] = field(default_factory=list)
    gives: Any = None

    @property
    def reads(self) -> bool:
        return self.operation in READS

    def __str__(self) -> str:
        return f"{self.operation}({', '.join(map(str, self.given))})"

    @property
    def brief(self) -> str:
        match self.given:
            case [{"key": name}, *_]:
                return f"{self.operation} {name}"
            case [str(name), *_]:
                return f"{self.operation} {name}"
            case _:
                return self.operation


def acts_of(case: Case) -> list[Act]:
    """Return the acts of the client in the trace of a case, up to its last change."""
    acts = []
    for step in case.trace:
        match step.operation, step.argument:
            case (("open" | "get_input_entity"), _):
                pass
            case "restore", _:
                acts.append(Act("load"))
            case "observe", _:
                [*members] = step.argument.items()
                if len(members) == 1 and members[0][0] in READ_PROPERTIES:
                    acts.append(Act(members[0][0], gives=members[0][1]))
            case "set", _:
                acts.extend(Act("set", [name, value]) for name, value in step.argument.items())
            case "get_auth_key", _:
                acts.append(Act("get_auth_key", step.argument, step.gives))
            case _:
                acts.append(Act(step.operation, step.argument))
    while acts[-1].reads:
        acts.pop()
    return acts


def acts_recorded(record: Record) -> list[Act]:
    """Return the recorded acts of the client, with the names of a trace."""
    acts = []
    for entry in record:
        match entry:
            case {"read": member, "gives": value}:
                acts.append(Act(NAMES[member], gives=value))
            case {"write": member, "given": [value]}:
                acts.append(Act("set", [NAMES[member], value]))
            case {"call": "processEntities", "given": [tlo]}:
                if isinstance(tlo, list) or ENTITIES & tlo.keys():
                    acts.append(Act("process_entities", [tlo]))
            case {"call": member, "given": given}:
                acts.append(Act(NAMES[member], given, entry.get("gives")))
    return acts


class Objects:
    """Which AuthKey object of the client corresponds to which object of the trace."""

    def __init__(self) -> None:
        self._pairs: set[tuple[str, int]] = set()

    def are_one(self, label: str, number: int) -> bool:
        """Say whether both can be the same object, and remember this pair."""
        if any((known == label) != (held == number) for known, held in self._pairs):
            return False
        self._pairs.add((label, number))
        return True


def is_same(expected: Any, real: Any, objects: Objects) -> bool:
    """Compare a value of a trace with one of the client's."""
    match expected, real:
        case {"key": name, "object": label}, {"key": held, "object": number}:
            return name == held and objects.are_one(label, number)
        case {"key": name}, {"key": held}:
            return bool(name == held)
        case {"_": constructor}, {"_": held}:
            real = {_snake(name): value for name, value in real.items()}
            return (
                _lowered(held) == constructor
                and not (ENTITIES & real.keys()) - expected.keys()
                and all(
                    is_same(value, real.get(name), objects)
                    for name, value in expected.items()
                    if name != "_"
                )
            )
        case list(), list():
            return len(expected) == len(real) and all(
                is_same(one, other, objects) for one, other in zip(expected, real, strict=True)
            )
        case _:
            return type(expected) is type(real) and bool(expected == real)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _lowered(constructor: str) -> str:
    """Return the constructor of a TL object as the contract spells it: ``auth.authorization``."""
    namespace, dot, name = constructor.rpartition(".")
    return f"{namespace}{dot}{name[:1].lower()}{name[1:]}"


def is_answered(question: Act, read: Act) -> bool:
    """Say whether ``read`` asks the question of a trace, and got its answer."""
    if (question.operation, question.given) != (read.operation, read.given):
        return False
    if question.gives is None and isinstance(read.gives, dict):
        return bool(read.gives["key"] == "blank")
    return is_same(question.gives, read.gives, Objects())


def difference(trace: list[Act], client: list[Act], played: Played, objects: Objects) -> str | None:
    """Return the first difference between a trace and the client, or None."""
    trace, left_out, reads = list(trace), list(played.left_out), []
    goes_on = False
    for act in client:
        questions = list(takewhile(lambda act: act.reads, trace))
        change = trace[len(questions)] if trace else None
        if act.reads:
            reads.append(act)
        elif change and is_same_act(change, act, objects):
            asked = iter(reads)
            for question in questions:
                if not any(is_answered(question, read) for read in asked):
                    return f"before {act} the client does not read {question}, {question.gives}"
            del trace[: len(questions) + 1], reads[:]
        elif left_out and left_out[0] == act.brief:
            del left_out[0]
        elif change or not played.breaks_off:
            return f"the client does {act}, but the trace has {change}"
        else:
            goes_on = True
            break
    if trace:
        return f"the client does not do {next(act for act in trace if not act.reads)}"
    if left_out or goes_on != played.breaks_off:
        return "the table allows more differences than there are"
    return None


def is_same_act(expected: Act, real: Act, objects: Objects) -> bool:
    return expected.operation == real.operation and is_same(expected.given, real.given, objects)


def compare(case: Case, record: Record) -> str | None:
    """Return the first difference between a case and its record, or None."""
    played = PLAYED[scenario_of(case.id)]
    objects = Objects()
    trace = acts_of(case)
    if not played.login_in_short and not starts_elsewhere(case):
        return difference(trace, acts_recorded(record), played, objects)
    mark = record.index({"mark": "logged in"})
    login, rest = _after_login(trace)
    if starts_elsewhere(case):  # the session already has the key
        login = [act for act in login if act.brief not in ("save", "set_auth_key blank")]
        login = [act for act in login if act.operation != "set_dc"]
    done = iter(acts_recorded(record[:mark]))
    for act in login:
        if not act.reads and not any(is_same_act(act, other, objects) for other in done):
            return f"the client does not do {act} while it logs in"
    return difference(rest, acts_recorded(record[mark:]), played, objects)


def _after_login(trace: list[Act]) -> tuple[list[Act], list[Act]]:
    """Split a trace after its first save(), or after the second if that saves the same key."""
    end = [act.operation for act in trace].index("save") + 1
    key = trace[end - 2].brief
    if [act.brief for act in trace[end : end + 2]] == [key, "save"]:
        end += 2
    return trace[:end], trace[end:]


def starts_elsewhere(case: Case) -> bool:
    """Say whether a trace logs in at a data centre other than that of a first connect."""
    moves = [act.given[0] for act in acts_of(case) if act.operation == "set_dc"]
    return saved_string(case) is None and moves[0] != FIRST


def saved_string(case: Case) -> str | None:
    """Return the string from which a case restores its session, or None."""
    return next((step.argument[0] for step in case.trace if step.operation == "restore"), None)


def options(case: Case) -> dict[str, Any]:
    """Return the options of a case for ``client.cjs``."""
    acts = acts_of(case)
    moves = [act.given[:2] for act in acts if act.operation == "set_dc"]
    saved = saved_string(case)
    homes = {dc for dc, _ in moves} | ({StringSession(saved).dc_id} if saved else set())
    keyed = [dc for act in acts if act.operation == "set_auth_key" for dc in act.given[1:]]
    answers = [act.given[0] for act in acts if act.operation == "process_entities"]
    return {
        "tests": [act.given[1] for act in acts if act.operation == "set"],
        "moves": moves,
        "login": starts_elsewhere(case),
        "saved": saved,
        "media": [dc for dc in dict.fromkeys(keyed) if dc not in homes],
        "users": [answer["user"] for answer in answers if "user" in answer],
        "dialogs": next((answer for answer in answers if "chats" in answer), None),
        "webSocket": PLAYED[scenario_of(case.id)].web_socket,
    }


@pytest.fixture(scope="session")
def play(published: Path) -> Play:
    """Return a function that plays all cases of a scenario in one process."""

    @functools.cache
    def played(scenario: str) -> dict[str, Record]:
        checks = [check for check in CHECKS if scenario_of(check) == scenario]
        done = subprocess.run(
            [program("node"), str(CLIENT), str(published), PLAYED[scenario].scenario],
            input=json.dumps([options(CASES[check]) for check in checks]),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return dict(zip(checks, json.loads(done.stdout), strict=True))

    return played


@pytest.mark.parametrize("check", CHECKS)
def test_a_trace_is_what_the_client_does(play: Play, check: str) -> None:
    """The real client makes exactly the calls of the trace."""
    parted = compare(CASES[check], play(scenario_of(check))[check])
    assert parted is None, parted


def test_every_case_is_in_one_of_the_two_tables() -> None:
    assert {scenario_of(check) for check in CASES} == {*PLAYED, *NOT_PLAYED}


def test_the_client_uses_no_other_members(play: Play) -> None:
    """It never closes a session, and never reads the current key or the flag."""
    used = {
        (kind, member)
        for scenario in PLAYED
        for record in play(scenario).values()
        for entry in record
        for kind, member in entry.items()
        if kind in ("call", "read", "write")
    }
    assert used == {
        *(("read", member) for member in ("dcId", "port", "serverAddress")),
        ("write", "testServers"),
        *(("call", member) for member in ("delete", "load", "save", "setDC")),
        *(("call", member) for member in ("getAuthKey", "setAuthKey")),
        *(("call", member) for member in ("getInputEntity", "processEntities")),
    }


def _first(record: Record, member: str) -> int:
    return next(index for index, entry in enumerate(record) if member in entry.values())


def _swap(record: Record, one: str, other: str) -> None:
    one_at, other_at = _first(record, one), _first(record, other)
    record[one_at], record[other_at] = record[other_at], record[one_at]


def _give(record: Record, member: str, *given: Any) -> None:
    record[_first(record, member)]["given"] = list(given)


def _find_the_old_key(record: Record) -> None:
    for entry in record[_first(record, "delete") :]:
        if entry.get("call") == "getAuthKey":
            entry["gives"] = {"key": "A", "object": 1}


def _hold_all_keys_in_one_object(record: Record) -> None:
    for entry in record:
        if entry.get("call") == "setAuthKey":
            entry["given"][0]["object"] = 1


CONNECTED = "CLIENT-1[tcp-production]"
SIGNED_IN = "CLIENT-2[sign-in-production]"
DIALOGS = "CLIENT-2[first-dialogs]"
ALTERED: dict[str, tuple[str, Callable[[Record], object]]] = {
    "another-order": (CONNECTED, lambda record: _swap(record, "testServers", "setDC")),
    "no-save": (CONNECTED, lambda record: record.pop(_first(record, "save"))),
    "no-last-save": (CONNECTED, lambda record: record.pop()),
    "one-call-more": (CONNECTED, lambda record: record.append({"call": "close", "given": []})),
    "another-flag": (CONNECTED, lambda record: _give(record, "testServers", True)),
    "another-address": (CONNECTED, lambda record: _give(record, "setDC", 2, "149.154.167.50", 443)),
    "port-as-text": (CONNECTED, lambda record: _give(record, "setDC", 2, "149.154.167.51", "443")),
    "no-data-centre": (
        CONNECTED,
        lambda record: record[_first(record, "setAuthKey")]["given"].pop(),
    ),
    "not-blank": (
        CONNECTED,
        lambda record: _give(record, "setAuthKey", {"key": "A", "object": 1}, 2),
    ),
    "another-key": (CONNECTED, lambda record: record[-2]["given"][0].update(key="B")),
    "another-object": (CONNECTED, lambda record: record[-2]["given"][0].update(object=2)),
    "key-cleared": (CONNECTED, lambda record: record[-2].update(given=[None])),
    "not-read": (CONNECTED, lambda record: record.pop(_first(record, "getAuthKey"))),
    "read-too-late": (CONNECTED, lambda record: _swap(record, "getAuthKey", "setAuthKey")),
    "another-answer": (CONNECTED, lambda record: record[_first(record, "dcId")].update(gives=4)),
    "one-object": ("CLIENT-4[there-and-back-2-to-4]", _hold_all_keys_in_one_object),
    "old-key-found": ("CLIENT-7[new-login-production]", _find_the_old_key),
    "another-user": (SIGNED_IN, lambda record: record[-1]["given"][0][0].update(id="5")),
    "one-user-more": (SIGNED_IN, lambda record: record[-1]["given"][0].append({"_": "User"})),
    "channel-more": (DIALOGS, lambda record: record[-1]["given"][0].update(channel={})),
    "another-login": (DIALOGS, lambda record: _give(record, "setDC", 2, "149.154.167.50", 443)),
}


@pytest.mark.parametrize("alteration", ALTERED)
def test_the_comparison_notices(play: Play, alteration: str) -> None:
    """A record with one difference from the record of the real client does not pass."""
    check, alter = ALTERED[alteration]
    record = copy.deepcopy(play(scenario_of(check))[check])
    alter(record)
    assert compare(CASES[check], record)


@pytest.mark.parametrize(
    "too_much",
    [
        {"left_out": ("save",)},
        {"breaks_off": True},
    ],
    ids=str,
)
def test_an_entry_that_allows_more_than_necessary_fails(
    play: Play, too_much: dict[str, Any]
) -> None:
    """So the table cannot keep an allowance that a corrected contract no longer needs."""
    client = acts_recorded(play(scenario_of(CONNECTED))[CONNECTED])
    played = Played("connect", **too_much)
    assert difference(acts_of(CASES[CONNECTED]), client, played, Objects())
