"""The paths in the pages for contributors exist, and the pages name every folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "conformance" / "teleproto_conformance"
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "spec/README.md")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
NAMED = re.compile(r"`((?:spec|tests|vectors|reference|conformance|examples)/[^`*<> ]*)`")


@pytest.mark.parametrize("page", PAGES)
def test_every_path_in_a_page_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    linked = [ROOT / Path(page).parent / path for path in LINK.findall(text)]
    named = [ROOT / path for path in NAMED.findall(text)]
    missing = [path for path in (*linked, *named) if not path.exists()]
    assert linked
    assert not missing


def test_the_architecture_names_every_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert len(folders) > 4
    assert [name for name in sorted(folders) if f"`{name}/`" not in text] == []


@pytest.mark.parametrize("form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")))
def test_every_field_of_a_form_has_an_id_and_a_label(form: Path) -> None:
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= content.keys()
    for field in content["body"]:
        assert field["type"] in ("input", "textarea")
        assert field["id"]
        assert field["attributes"]["label"]
