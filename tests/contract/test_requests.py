"""Every request of the host protocol is known to its page and to all hosts."""

from __future__ import annotations

import json
import re

import pytest
from support.hosts import HOST
from support.running import ROOT, SPEC
from teleproto_conformance.subjects.hosts.python.host import Host

HOSTS = ROOT / "conformance" / "teleproto_conformance" / "subjects" / "hosts"


def _requests() -> list[str]:
    schema = json.loads((SPEC / "schema" / "host.schema.json").read_text(encoding="utf-8"))
    names = []
    for request in schema["$defs"]["request"]["oneOf"]:
        do = request["properties"]["do"]
        names += do.get("enum", [do.get("const")])
    return names


NAMES = _requests()
DONE = [name for name in NAMES if name != "exit"]
"""The requests that have an answer."""


def test_the_page_has_these_requests() -> None:
    page = (SPEC / "HOSTS.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([a-z]+)` \|", page, re.MULTILINE)) == sorted(NAMES)


@pytest.mark.parametrize("name", DONE)
def test_the_python_host_has_it(name: str) -> None:
    assert hasattr(Host, f"do_{name}")


@pytest.mark.parametrize("name", DONE)
def test_the_node_host_has_it(name: str) -> None:
    source = (HOSTS / "node" / "requests.cjs").read_text(encoding="utf-8")
    requested = source.partition("const REQUESTED = {")[2]
    assert re.search(rf"^  (async )?{name}\(", requested, re.MULTILINE)


@pytest.mark.parametrize("name", DONE)
def test_the_perl_host_has_it(name: str) -> None:
    source = (ROOT / "examples" / "perl_host.pl").read_text(encoding="utf-8")
    assert f"sub do_{name} (" in source


@pytest.mark.parametrize("name", DONE)
def test_the_small_host_of_the_tests_has_it(name: str) -> None:
    assert f"    def {name}(self" in HOST
