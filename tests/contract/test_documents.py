"""One line reports a mistake in the YAML of the contract: file, line, place and cause."""

from __future__ import annotations

import re

import pytest
from support.contracts import Draft, draft
from support.running import Project

SURFACE = "spec/rules/surface.yaml"
FRESH = "spec/rules/fresh.yaml"
RULE = "  - id: SURFACE-2\n"
TRACE = "          - observe: {dc_id: null}\n"


@pytest.fixture
def small(project: Project) -> Draft:
    """A contract of two chapters."""
    return draft(project, "surface", "fresh")


def test_the_small_contract_has_no_mistake(small: Draft) -> None:
    done = small.run("generate")
    assert done.code == 0, done.text


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        # Mistakes in the YAML itself.
        ("spec/contract.yaml", "version:", "version: [", r": "),
        (
            "spec/surface.yaml",
            "    kind: method",
            "    kind: method: x",
            r": mapping values are not",
        ),
        ("spec/formats.yaml", "layouts:", "\tlayouts:", r": found character that"),
        (SURFACE, RULE, RULE + "    id: SURFACE-2\n", r": the key 'id' occurs twice"),
        (
            SURFACE,
            "          port: {member: port}\n",
            "          port: {member: port}\n          port: {member: port}\n",
            r": the key 'port' occurs twice",
        ),
        # Mistakes against a schema.
        ("spec/contract.yaml", "title:", "titel:", r": the document: 'title' is a req"),
        (
            "spec/contract.yaml",
            "title:",
            "note: x\ntitle:",
            r": the document: .*'note' was unexpec",
        ),
        ("spec/contract.yaml", "version: 1.4.0", "version: 1.2", r": version: 1.2 is not of type"),
        ("spec/state.yaml", "empty: [0, null]", "empty: 0", r": fields.dc_id.empty: 0 is not of"),
        (
            "spec/profiles.yaml",
            "takes: saved",
            "takes: string",
            r": profiles.string.takes: 'string'",
        ),
        (
            "spec/surface.yaml",
            "kind: method",
            "kind: verb",
            r": members.set_dc.kind: 'verb' is not",
        ),
        ("spec/data-centres.yaml", "port: 443", "port: https", r": port: 'https' is not of type"),
        ("spec/formats.yaml", "characters: 353", "characters: many", r": layouts.telethon-ipv4"),
        (SURFACE, "level: MUST", "level: MAY", r": rules.0.level: 'MAY' is not one of"),
        (SURFACE, "    why:", "    because:", r": rules.0: 'why' is a required property"),
        (SURFACE, "    why:", "    note: x\n    why:", r": rules.0: .*'note' was unexpected"),
        (SURFACE, RULE, "  - id: SURFACE-two\n", r": rules.1.id: 'SURFACE-two' does not match"),
        (
            SURFACE,
            TRACE,
            "          - observe: {dc: null}\n",
            r": rules.1.scenarios.0.trace.1.observe: .*'dc' was unexpected",
        ),
        (
            SURFACE,
            TRACE,
            "          - observe: {dc_id: null}\n            load: []\n",
            r": SURFACE-2: a step must have exactly one operation; this one has observe, load",
        ),
        (
            SURFACE,
            TRACE,
            "          - lode: []\n",
            r": rules.1.scenarios.0.trace.1: .*lode",
        ),
        (
            SURFACE,
            TRACE,
            "          - gives: null\n",
            r": SURFACE-2: a step must have exactly one operation; this one has none",
        ),
        # Mistakes that only the whole contract shows.
        (SURFACE, RULE, "  - id: FRESH-9\n", r": FRESH-9: it is in the file of chapter SURFACE"),
        (SURFACE, RULE, "  - id: SURFACE-1\n", r": SURFACE-1: SURFACE-1 occurs twice"),
        (
            SURFACE,
            "      - id: current-key\n",
            "      - id: data-centre\n",
            r": SURFACE-2: SURFACE-2\[data-centre\] occurs twice",
        ),
        (
            SURFACE,
            "profiles: all",
            "profiles: [eternal]",
            r": SURFACE-1: there is no profile 'eternal'; use one of memory, string, store",
        ),
        (
            FRESH,
            "profiles: [memory, string]",
            "profiles: [memory, strings]",
            r": FRESH-1: there is no profile 'strings'",
        ),
        (
            FRESH,
            "{dc: 1}",
            "{dc: 1, port: 2}",
            r": FRESH-3: scenario keys: \$port of dc-1 is not used",
        ),
        (
            FRESH,
            "[$dc]",
            "[$home]",
            r": FRESH-3: the trace uses \$home, but one of its cases does not define it",
        ),
        (
            SURFACE,
            "{member: set_dc}",
            "{member: set_cd}",
            r": SURFACE-1: the surface has no member",
        ),
        (
            SURFACE,
            TRACE,
            "          - set_auth_key: [{key: Z}]\n",
            r": SURFACE-2: there is no key Z",
        ),
        (
            SURFACE,
            TRACE,
            "          - load: []\n            session: b\n",
            r": SURFACE-2: the session b is used before it is opened",
        ),
        (
            SURFACE,
            TRACE,
            "          - restore: [{string: pyrogram}]\n",
            r": SURFACE-2: there is no string layout 'pyrogram'",
        ),
        (
            SURFACE,
            TRACE,
            "          - restore: [{string: teleproto, dc_id: 2}]\n",
            r": SURFACE-2: the field server_address has no value",
        ),
        (
            SURFACE,
            TRACE,
            "          - restore: [{string: teleproto, dc_id: 2, server_address: a.tld, port: 1,"
            " auth_key: A, region: 3}]\n",
            r": SURFACE-2: the layout teleproto has no field region",
        ),
        (
            SURFACE,
            TRACE,
            "          - put_files: {x: {layout: cookie}}\n",
            r": SURFACE-2: \{'layout': 'cookie'\} does not describe the content of a file",
        ),
    ],
)
def test_a_mistake(small: Draft, name: str, old: str, new: str, place: str) -> None:
    small.change(name, old, new)
    done = small.run("generate")
    assert done.code == 2, done.text
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert re.match(rf"teleproto-conformance: {name}:[1-9]\d*{place}", line), line
    assert "Traceback" not in done.err
    assert not small.vectors.exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("spec/surface.yaml", "spec/surface.yaml: cannot be read: No such file or directory"),
        (SURFACE, "spec/contract.yaml: SURFACE has no file in rules/"),
    ],
)
def test_a_file_that_is_missing(small: Draft, name: str, says: str) -> None:
    (small.project.path / name).unlink()
    done = small.run("generate")
    assert (done.code, done.err) == (2, f"teleproto-conformance: {says}\n")


def test_a_chapter_that_is_not_listed(small: Draft) -> None:
    small.change("spec/contract.yaml", "[SURFACE, FRESH]", "[SURFACE]")
    says = "spec/contract.yaml: FRESH is not listed under chapters"
    assert small.run("generate").err == f"teleproto-conformance: {says}\n"


def test_a_chapter_in_two_files(small: Draft) -> None:
    text = (small.spec / "rules/fresh.yaml").read_text(encoding="utf-8")
    small.project.write("spec/rules/again.yaml", text)
    says = "spec/rules: FRESH is the chapter of 2 files"
    assert small.run("generate").err == f"teleproto-conformance: {says}\n"


def test_a_file_that_is_not_utf_8(small: Draft) -> None:
    (small.spec / "state.yaml").write_bytes(b"title: caf\xe9\n")
    says = "spec/state.yaml: not UTF-8 at byte 10"
    assert small.run("generate").err == f"teleproto-conformance: {says}\n"


def test_the_line_number_is_right(small: Draft) -> None:
    small.change(SURFACE, TRACE, "          - lode: []\n")
    text = (small.spec / "rules/surface.yaml").read_text(encoding="utf-8")
    number = text[: text.index("- lode")].count("\n") + 1
    assert f"{SURFACE}:{number}: " in small.run("generate").err
