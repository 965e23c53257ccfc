"""The validator of hosts: good hosts pass, and each broken host fails for its own fault."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.hosts import HOST
from support.running import ROOT, Project
from teleproto_conformance.subjects.programs import Program
from teleproto_conformance.validator import FAILED, OK, SESSION, Result, results
from teleproto_conformance.validator.requirements import REQUIREMENTS, Requirement

PERL_HOST = str(ROOT / "examples" / "perl_host.pl")
ALL_OK = f"no error of the host was found: {len(REQUIREMENTS)} requirements are met"

BROKEN = {
    "prints-while-starting": (
        "hello describes the class",
        "wrote into the answer channel",
        """
        def serve(self):
            print("good morning", flush=True)
            super().serve()
        """,
    ),
    "dies-while-starting": (
        "hello describes the class",
        "exit code 3; it printed 'no such engine'",
        """
        def serve(self):
            print("no such engine", file=sys.stderr)
            sys.exit(3)
        """,
    ),
    "hangs-while-starting": (
        "hello describes the class",
        "none within 2 seconds; it printed 'looking for the class'",
        """
        def hello(self, **given):
            print("looking for the class", file=sys.stderr)
            import time; time.sleep(60)
        """,
    ),
    "older-protocol": (
        "hello describes the class",
        "protocol: 1 was expected",
        """
        def hello(self, **given):
            answer = super().hello(**given)
            answer["returned"]["protocol"] = 0
            return answer
        """,
    ),
    "hello-without-a-field": (
        "hello describes the class",
        "'guess' is a required property",
        """
        def hello(self, **given):
            answer = super().hello(**given)
            answer.get("returned", {}).pop("guess", None)
            return answer
        """,
    ),
    "any-protocol": (
        "hello refuses a protocol",
        "expected refused",
        """
        def hello(self, protocol, **given):
            return super().hello(1, **given)
        """,
    ),
    "id-of-another-process": (
        "hello gives the id of the process",
        "a shell script must start its host with exec",
        """
        def hello(self, **given):
            answer = super().hello(**given)
            answer.get("returned", {})["pid"] = os.getppid()
            return answer
        """,
    ),
    "stays-where-it-is": (
        "begin changes to the directory",
        "expected the process in that directory",
        """
        def begin(self, workdir):
            return super().begin(os.getcwd())
        """,
    ),
    "prints-into-the-channel": (
        "TL objects of any kind, and other values instead of them, can be passed",
        "wrote into the answer channel",
        """
        def call(self, session, member, arguments):
            if arguments and arguments[0] is True:
                self.channel.write("moving\\n")
            return super().call(session, member, arguments)
        """,
    ),
    "forgets-names-of-keys": (
        "an auth key comes back under its name from hello",
        "a key has a name from the `keys` of hello",
        """
        def attempt(self, action):
            answer = super().attempt(action)
            if answer.get("returned") == {"key": "odd"}:
                answer["returned"]["key"] = "strange"
            return answer
        """,
    ),
    "numbers-for-64-bits": (
        "64-bit numbers in a TL object are strings, and come back exactly",
        "is not of type 'string'",
        """
        def attempt(self, action):
            answer = super().attempt(action)
            if isinstance(answer.get("returned"), dict) and "user_id" in answer["returned"]:
                answer["returned"]["user_id"] = int(answer["returned"]["user_id"])
            return answer
        """,
    ),
    "latin-1": (
        "text beyond ASCII arrives unchanged in both directions",
        "the host read UTF-8 as Latin-1",
        """
        def attempt(self, action):
            answer = super().attempt(action)
            if isinstance(answer.get("returned"), str):
                answer["returned"] = answer["returned"].encode().decode("latin-1")
            return answer
        """,
    ),
    "line-of-64-kb": (
        "a request of 100 kB is answered",
        "expected returned or raised",
        """
        def answer(self, do, **given):
            if len(json.dumps(given)) > 1 << 16:
                return {"fault": "the line is too long"}
            return super().answer(do, **given)
        """,
    ),
    "fault-instead-of-raised": (
        "an error of the session is raised, not a fault",
        "expected raised",
        """
        def call(self, session, member, arguments):
            answer = super().call(session, member, arguments)
            missed = arguments == ["@nobody_of_that_name"] and "raised" in answer
            return {"fault": "nobody"} if missed else answer
        """,
    ),
    "raised-instead-of-fault": (
        "a request for an unknown member is a fault, and later requests work",
        "expected fault",
        """
        def observe(self, session, member):
            session = self.sessions[session]
            return self.attempt(lambda: getattr(session, member))
        """,
    ),
    "dies-of-an-unknown-request": (
        "a request of an unknown kind is a fault, and later requests work",
        "exit code 1; it printed",
        """
        def answer(self, do, **given):
            getattr(self, do)
            return super().answer(do, **given)
        """,
    ),
    "confused-by-a-fault": (
        "a request of an unknown kind is a fault, and later requests work",
        "expected returned",
        """
        failed = False

        def answer(self, do, **given):
            answer = super().answer(do, **given)
            answer = {"fault": "the last one"} if self.failed else answer
            self.failed = do == "dance"
            return answer
        """,
    ),
    "errors-of-earlier-traces": (
        "texts has only the errors since begin",
        "expected no entry of errors since begin",
        """
        shown_before = ()

        def begin(self, workdir):
            answer = super().begin(workdir)
            self.shown.extend(self.shown_before)
            return answer

        def finish(self):
            self.shown_before = self.shown
            return super().finish()
        """,
    ),
    "keeps-the-first-session": (
        "open replaces an earlier session of the same name",
        "expected a new session",
        """
        def open(self, session, arguments):
            kept = getattr(self, "sessions", {}).get(session)
            answer = super().open(session, arguments)
            if kept is not None and "returned" in answer:
                self.sessions[session] = kept
            return answer
        """,
    ),
    "drops-nothing": (
        "drop removes one session",
        "expected fault",
        """
        def drop(self, session):
            return {"returned": None}
        """,
    ),
    "newest-first": (
        "requests sent ahead are answered in their order",
        "in its turn, got",
        """
        def serve(self):
            self.channel = os.fdopen(os.dup(1), "w")
            os.dup2(2, 1)
            rest = b""
            while data := os.read(0, 1 << 16):
                *lines, rest = (rest + data).split(b"\\n")
                requests = [json.loads(line) for line in lines]
                answers = [self.answer(**r) for r in requests if r["do"] != "exit"]
                for answer in reversed(answers):
                    self.say(answer)
                if len(answers) < len(requests):
                    break
        """,
    ),
    "finish-says-nothing": (
        "finish answers true or false, and begin works again",
        "expected true or false",
        """
        def finish(self):
            super().finish()
            return {"returned": None if self.shown == [] else True}
        """,
    ),
    "does-not-exit": (
        "exit ends the process with code 0, without an answer",
        "none within 3 seconds",
        """
        def serve(self):
            super().serve()
            os.read(0, 1)
        """,
    ),
    "exits-with-an-error": (
        "exit ends the process with code 0, without an answer",
        "expected exit code 0, got 1",
        """
        def serve(self):
            super().serve()
            sys.exit(1)
        """,
    ),
    "looks-for-no-other-class": (
        "hello refuses a class that does not exist, or ignores the name",
        "expected refused, or returned by a host for one class",
        """
        def hello(self, implementation, **given):
            assert implementation.startswith("exec:")
            return super().hello(implementation=implementation, **given)
        """,
    ),
    "versions-that-are-numbers": (
        "hello describes the class",
        "versions.Engine: 4 is not of type 'string'",
        """
        def hello(self, **given):
            answer = super().hello(**given)
            answer["returned"]["versions"] = {"Engine": 4}
            return answer
        """,
    ),
    "opens-with-a-fault": (
        "open constructs a session",
        "expected returned, got",
        """
        def open(self, session, arguments):
            super().open(session, arguments)
            return {"fault": "it was constructed"}
        """,
    ),
    "has-says-what-it-found": (
        "has says whether the session has a member",
        "expected true or false",
        """
        def has(self, session, member):
            return {"returned": "method" if super().has(session, member)["returned"] else None}
        """,
    ),
    "observes-what-is-none": (
        "observe reads each property",
        "any other object must be",
        """
        def observe(self, session, member):
            answer = super().observe(session, member)
            return {"returned": {"value": []}} if member == "auth_key" else answer
        """,
    ),
    "set-returns-what-it-set": (
        "set assigns, and returns null",
        'expected {"returned": null}',
        """
        def set(self, session, member, value):
            super().set(session, member, value)
            return {"returned": value}
        """,
    ),
    "hands-over-no-numbers": (
        "call passes numbers and text unchanged",
        "expected returned",
        """
        def call(self, session, member, arguments):
            if any(type(argument) is int for argument in arguments) and member == "set_dc":
                return {"fault": "a number is no value"}
            return super().call(session, member, arguments)
        """,
    ),
    "together-stops-at-an-error": (
        "together answers all calls in their order",
        "a list of 3 answers",
        """
        def together(self, calls):
            answers = super().together(calls)["returned"]
            raised = ["raised" in answer for answer in answers]
            return {"returned": answers[: raised.index(True) + 1] if any(raised) else answers}
        """,
    ),
    "hands-over-a-blank-key-as-a-fault": (
        "a missing key and a blank key can be passed",
        "expected returned",
        """
        def call(self, session, member, arguments):
            if arguments == [{"key": "blank"}]:
                return {"fault": "a key has 256 bytes"}
            return super().call(session, member, arguments)
        """,
    ),
    "has-no-key-objects": (
        "a key may be put into a named object, and may have any length",
        "expected returned",
        """
        def call(self, session, member, arguments):
            if arguments and "object" in str(arguments[0]):
                return {"fault": "an object of what?"}
            return super().call(session, member, arguments)
        """,
    ),
    "a-constructor-must-not-raise": (
        "an error of the constructor is raised; texts and open still work",
        "expected returned or raised",
        """
        def open(self, session, arguments):
            answer = super().open(session, arguments)
            return {"fault": answer["raised"]} if "raised" in answer else answer
        """,
    ),
    "opens-what-it-does-not-know": (
        "a request for an unknown session is a fault, and later requests work",
        "expected fault",
        """
        def observe(self, session, member):
            if session not in self.sessions:
                self.open(session, [])
            return super().observe(session, member)
        """,
    ),
    "calls-methods-of-the-first-only": (
        "two sessions are kept apart by their names",
        "expected returned",
        """
        def call(self, session, member, arguments):
            if session == "other" and member == "set_dc":
                return {"fault": "that is not the session"}
            return super().call(session, member, arguments)
        """,
    ),
    "stays-in-the-first-directory": (
        "chdir changes to the directory",
        "expected the process in that directory",
        """
        def chdir(self, directory):
            return {"returned": None}
        """,
    ),
    "does-not-pause": (
        "pause answers when the time has passed",
        "expected null after 50 ms, got null after ",
        """
        def pause(self, milliseconds):
            return {"returned": None}
        """,
    ),
    "waits-for-more-input": (
        "the end of the input ends the process",
        "none within 3 seconds",
        """
        def serve(self):
            self.channel = os.fdopen(os.dup(1), "w")
            os.dup2(2, 1)
            import time
            while True:
                line = sys.stdin.readline()
                if not line:
                    time.sleep(0.1)
                    continue
                request = json.loads(line)
                if request["do"] == "exit":
                    return
                self.say(self.answer(**request))
        """,
    ),
}


def test_every_requirement_has_a_broken_host() -> None:
    missed = {title for title, _, _ in BROKEN.values()}
    assert [one.title for one in REQUIREMENTS if not one.title.startswith((*missed,))] == []


def _host(directory: Path, body: str, session: str = "") -> str:
    """Write a host whose class also has ``body``, and return its path."""
    path = directory / "host.py"
    made = textwrap.indent(textwrap.dedent(body), "    ") or "    pass"
    parts = (HOST, textwrap.dedent(session), f"class Small(Host):\n{made}", "Small().serve()")
    path.write_text("\n\n".join(parts), encoding="utf-8")
    return str(path)


def _asked(
    host: str, requirements: Sequence[Requirement] = REQUIREMENTS, limit: float = 5.0
) -> list[Result]:
    here = Path(host).parent
    program = Program((sys.executable, host), here)
    return [*results(program, f"exec:{host}", here=here, limit=limit, requirements=requirements)]


def test_a_small_host_meets_every_requirement(tmp_path: Path) -> None:
    found = _asked(_host(tmp_path, ""))
    assert [str(one) for one in found if one.outcome != OK] == []
    assert [one.requirement for one in found] == REQUIREMENTS


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_host_fails_for_its_own_fault(name: str, tmp_path: Path) -> None:
    title, detail, body = BROKEN[name]
    limit = 0.5 if name == "hangs-while-starting" else 3.0
    (meant,) = [one for one in REQUIREMENTS if one.title.startswith(title)]
    asked = [one for one in REQUIREMENTS if one.gate or one.group == meant.group]
    found = _asked(_host(tmp_path, body), asked, limit)
    (failed,) = [one for one in found if one.outcome != OK]
    assert failed.outcome == FAILED
    assert failed.requirement is meant
    assert detail in failed.detail
    assert "\n" not in str(failed)
    assert [one.requirement for one in found] == asked[
        : asked.index(meant) + 1 if meant.gate else None
    ]


def test_a_fault_of_the_session_is_unsure(project: Project) -> None:
    session = """
        class Forgets(MemorySession):
            def get_auth_key(self, dc_id=None):
                return AuthKey(bytes(256))

        Host.session = Forgets
    """
    done = project.conformance("host", sys.executable, _host(project.path, "", session))
    assert done.code == 0, done.text
    *lines, verdict = done.out.splitlines()
    marked = [
        line
        for line in lines
        if "unsure   an auth key comes back under its name from hello" in line
    ]
    assert len(marked) == 1
    assert (
        'expected {"key": "A"}, got {"returned": {"key": "zero"}}, after {"do": "call"' in marked[0]
    )
    assert "FAILED" not in done.out
    assert verdict.startswith(
        f"no error of the host was found: {len(REQUIREMENTS) - 3} requirements are met; "
    )
    assert "3 unsure, as either the host or its session is wrong" in verdict


def test_a_session_that_cannot_be_opened_ends_the_validation(project: Project) -> None:
    session = """
        class Stillborn(MemorySession):
            def __init__(self):
                raise ValueError("no engine")

        Host.session = Stillborn
    """
    done = project.conformance("host", sys.executable, _host(project.path, "", session))
    assert done.code == 1
    *_, opened, verdict = done.out.splitlines()
    assert opened.startswith("  unsure   open constructs a session")
    assert "no engine" in opened
    assert verdict.startswith("the other requirements cannot be tested; 1 unsure")


def test_a_session_that_ends_the_process_may_be_to_blame(tmp_path: Path) -> None:
    session = """
        class Leaves(MemorySession):
            def set_dc(self, dc_id, server_address, port):
                os._exit(9)

        Host.session = Leaves
    """
    asked = [one for one in REQUIREMENTS if one.gate or one.group == "Values"]
    found = _asked(_host(tmp_path, "", session), asked)
    failed = [one for one in found if one.outcome == FAILED]
    assert failed
    assert all("exit code 9 (the session may have caused this)" in one.detail for one in failed)
    assert all(one.outcome != SESSION for one in found)


def test_the_host_for_perl_meets_every_requirement(project: Project) -> None:
    done = project.conformance("host", "perl", PERL_HOST)
    assert done.code == 0, done.text
    assert done.out.splitlines()[-1] == ALL_OK
    assert done.out.count("  ok       ") == len(REQUIREMENTS)
    assert done.err == ""


def test_the_host_for_python_meets_every_requirement(project: Project) -> None:
    command = [sys.executable, "-m", "teleproto_conformance.subjects.hosts.python"]
    session = "--implementation=teleproto_sessions.MemorySession"
    done = project.conformance("host", session, *command)
    assert done.code == 0, done.text
    assert done.out.splitlines()[-1] == ALL_OK


def test_a_refused_class_is_reported_with_the_remedy(project: Project) -> None:
    done = project.conformance(
        "host", sys.executable, "-m", "teleproto_conformance.subjects.hosts.python"
    )
    assert done.code == 1
    group, refused, verdict = done.out.splitlines()
    assert group == "Starting"
    assert "name the class with --implementation" in refused
    assert verdict == (
        f"1 of {len(REQUIREMENTS)} requirements of spec/HOSTS.md is not met; "
        "the other requirements cannot be tested"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "host: write the command that starts a host, such as perl host.pl"),
        (["--"], "host: write the command that starts a host, such as perl host.pl"),
        (["no-such-program", "x"], "the program no-such-program does not exist or cannot be run"),
        (["./host.pl"], "the program ./host.pl does not exist or cannot be run"),
        (["perl 'host.pl"], "it is not a valid command (no closing quotation)"),
        (["--profile=cloud", "perl", PERL_HOST], "there is no profile 'cloud'; name it with"),
    ],
)
def test_unusable_arguments_are_one_line(project: Project, arguments: list[str], says: str) -> None:
    done = project.conformance("host", *arguments)
    assert done.code == 2, done.text
    (line,) = done.err.splitlines()
    assert line.startswith(f"teleproto-conformance: {says}")


def test_one_argument_is_split_like_the_option(project: Project) -> None:
    done = project.conformance("host", f"exec:perl '{PERL_HOST}'")
    assert done.out.splitlines()[-1] == ALL_OK
    done = project.conformance("host", f"perl '{PERL_HOST}'")
    assert done.out.splitlines()[-1] == ALL_OK
