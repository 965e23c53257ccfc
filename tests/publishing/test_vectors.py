"""``spec/`` and the reference model give exactly the bytes of the vectors."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from support import schemas
from support.contracts import Draft, draft
from support.running import ROOT, VECTORS, Project
from teleproto_conformance import cli


@pytest.fixture
def small(project: Project) -> Draft:
    """A contract of two chapters, with its vectors."""
    made = draft(project, "surface", "tlt")
    done = made.run("generate")
    assert done.code == 0, done.text
    return made


def test_the_repository_has_not_drifted(project: Project) -> None:
    done = project.conformance("vectors", "check")
    assert done.code == 0, done.text


def test_the_same_contract_gives_the_same_bytes(small: Draft) -> None:
    first = _contents(small.project.path)
    shutil.rmtree(small.vectors)
    assert small.run("generate", PYTHONHASHSEED="7").code == 0
    assert _contents(small.project.path) == first


def test_a_change_of_any_byte_is_drift(small: Draft) -> None:
    assert _check(small)[0] == 0
    for path in sorted(small.vectors.glob("*.json")):
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            code, out = _check(small)
            assert code == 1, (path, place)
            drift, remedy = out.splitlines()
            assert drift.startswith(f"vectors/{path.name} differs from line ")
            assert remedy.endswith("run `teleproto-conformance vectors generate`")
        path.write_bytes(whole)
    assert _check(small)[0] == 0


def test_a_change_of_any_contract_file_is_drift(small: Draft) -> None:
    paths = [path for path in sorted(small.spec.rglob("*")) if path.suffix in (".yaml", ".json")]
    assert len(paths) > 15
    for path in paths:
        whole = path.read_bytes()
        path.write_bytes(whole + b"\n")
        code, out = _check(small)
        assert (code, out.count("vectors/manifest.json differs")) == (1, 1), path
        path.write_bytes(whole)


def test_an_extra_or_missing_file_is_drift(small: Draft) -> None:
    small.project.write("vectors/more.json", "{}")
    assert "vectors/more.json belongs to no chapter\n" in small.run("check").out
    (small.vectors / "more.json").unlink()
    (small.vectors / "surface.json").unlink()
    done = small.run("check")
    assert (done.code, "vectors/surface.json is missing\n" in done.out) == (1, True)


def test_the_text_of_a_rule_is_in_its_vectors_and_on_the_page(small: Draft) -> None:
    small.change("spec/rules/surface.yaml", "fails in the middle", "ends in the middle")
    done = small.run("check")
    assert done.code == 1
    drifted = {line.partition(" ")[0] for line in done.out.splitlines()[:-1]}
    assert drifted == {"vectors/surface.json", "vectors/manifest.json", "spec/RULES.md"}


def test_the_schema_learns_an_operation_before_the_scenarios_are_read(small: Draft) -> None:
    schema = small.spec / "schema/trace.schema.json"
    whole = schema.read_text(encoding="utf-8")
    old = json.loads(whole)
    del old["$defs"]["step"]["properties"]["chdir"]
    schema.write_text(json.dumps(old), encoding="utf-8")
    small.change("spec/rules/surface.yaml", "- observe:", "- obsreve:")
    assert small.run("generate").code == 2
    assert schema.read_text(encoding="utf-8") == whole


def test_a_change_of_the_page_of_rules_is_drift(small: Draft) -> None:
    small.change("spec/RULES.md", "SURFACE-1", "SURFACE-7")
    done = small.run("check")
    assert done.code == 1
    assert done.out.startswith("spec/RULES.md differs from line ")


@pytest.mark.parametrize(
    ("module", "old", "new", "says"),
    [
        (
            "memory.py",
            "dc_id: int = 0\n",
            "dc_id: int = 2\n",
            "SURFACE-2[data-centre]: the reference memory session disagrees with the contract in "
            "step 2: expected session.dc_id is None, got 2",
        ),
        (
            "codec.py",
            "def encode(",
            "def encode(login: Login) -> str:\n    return _encode(login)[:-1]\n\n\ndef _encode(",
            ": the reference string session disagrees with the contract in step ",
        ),
    ],
)
def test_a_reference_that_disagrees_is_reported(
    small: Draft, module: str, old: str, new: str, says: str
) -> None:
    own = small.project.path / "own/teleproto_sessions"
    shutil.copytree(ROOT / "reference/teleproto_sessions", own)
    same = small.run("check", PYTHONPATH=str(own.parent))
    assert same.code == 0
    small.change(f"own/teleproto_sessions/{module}", old, new)
    done = small.run("check", PYTHONPATH=str(own.parent))
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert says in line


def test_a_rule_is_added_without_a_line_of_python(project: Project, tmp_path: Path) -> None:
    """One entry in YAML gives a vector, a line of ``rules``, a place on the page and a check."""
    tree = Project(tmp_path / "tree")
    code = tree.path / "conformance/teleproto_conformance"
    shutil.copytree(ROOT / "conformance/teleproto_conformance", code)
    made = draft(tree, "surface", "fresh")
    text = made.spec / "rules/fresh.yaml"
    text.write_text(
        text.read_text(encoding="utf-8") + "\n  - id: FRESH-99\n"
        "    level: MUST\n"
        "    profiles: all\n"
        "    rule: A fresh session takes port 4430.\n"
        "    why: A proxy listens there.\n"
        "    source: A test\n"
        "    scenarios:\n"
        "      - id: proxy\n"
        "        comment: The port is read back.\n"
        "        trace:\n"
        "          - set_dc: [2, 149.154.167.51, 4430]\n"
        "          - observe: {port: 4430}\n",
        encoding="utf-8",
    )
    path = str(code.parent)
    done = project.conformance("vectors", "generate", PYTHONPATH=path)
    assert done.code == 0, done.text
    vectors = schemas.read(made.vectors / "fresh-session.json")
    assert vectors["cases"][-1]["id"] == "FRESH-99[proxy]"
    assert "### FRESH-99\n" in (made.spec / "RULES.md").read_text(encoding="utf-8")
    rules = project.conformance("rules", PYTHONPATH=path).out
    assert "FRESH-99    MUST    A fresh session takes port 4430.\n" in rules
    project.write(
        "bad.py",
        "from teleproto_sessions import MemorySession\n\n\n"
        "class Direct(MemorySession):\n"
        "    def set_dc(self, dc_id, server_address, port):\n"
        "        super().set_dc(dc_id, server_address, 443)\n",
    )
    run = project.pytest("--session-impl=bad.Direct", PYTHONPATH=path)
    assert run.code == 1
    assert "FRESH-99 (MUST) A fresh session takes port 4430." in run.out
    assert "Expected         session.port is 4430\nGot              443\n" in run.out


def test_the_files_fit_their_schemas() -> None:
    tables = schemas.read(VECTORS / "contract.json")
    assert schemas.problems(tables, "tables.schema.json") == []
    for name in tables["chapters"]:
        chapter = schemas.read(VECTORS / f"{name}.json")
        assert schemas.problems(chapter, "vectors.schema.json") == [], name
    manifest = schemas.read(VECTORS / "manifest.json")
    assert schemas.problems(manifest, "manifest.schema.json") == []


def test_the_schemas_refuse_wrong_documents() -> None:
    chapter = schemas.read(VECTORS / "surface.json")
    chapter["cases"][0]["trace"].append({"lode": []})
    assert schemas.problems(chapter, "vectors.schema.json") != []
    tables = schemas.read(VECTORS / "contract.json")
    tables["tables"]["surface"]["members"]["load"]["kind"] = "verb"
    assert schemas.problems(tables, "tables.schema.json") != []
    manifest = schemas.read(VECTORS / "manifest.json")
    manifest["files"]["contract.json"]["sha256"] = "0"
    assert schemas.problems(manifest, "manifest.schema.json") != []


def test_the_manifest_counts_and_sums() -> None:
    manifest = schemas.read(VECTORS / "manifest.json")
    chapters = list(_chapters())
    assert manifest["rules"] == sum(len(chapter["rules"]) for chapter in chapters)
    assert manifest["cases"] == sum(len(chapter["cases"]) for chapter in chapters)
    names = {path.name for path in VECTORS.glob("*.json")} - {"manifest.json"}
    assert set(manifest["files"]) == names
    for name, entry in manifest["files"].items():
        assert entry["sha256"] == sha256((VECTORS / name).read_bytes()).hexdigest()


def test_ids_are_unique_and_belong_to_a_rule_of_their_chapter() -> None:
    seen: set[str] = set()
    for chapter in _chapters():
        rules = {rule["id"]: rule for rule in chapter["rules"]}
        for entry in (*chapter["cases"], *chapter["generated"]):
            assert entry["id"] not in seen
            seen.add(entry["id"])
            assert entry["id"].startswith(entry["rule"] + "[")
            assert set(entry["profiles"]) <= set(rules[entry["rule"]]["profiles"])
        checked = {entry["rule"] for entry in (*chapter["cases"], *chapter["generated"])}
        assert set(rules) - checked == {id_ for id_, rule in rules.items() if "excluded" in rule}


def _chapters() -> Iterator[dict[str, list[dict[str, str]]]]:
    for name in schemas.read(VECTORS / "contract.json")["chapters"]:
        yield schemas.read(VECTORS / f"{name}.json")


def _contents(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def _check(small: Draft) -> tuple[int, str]:
    """Run ``vectors check`` in this process, to save the start of a new Python."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.chdir(small.project.path):
        code = cli.main(["vectors", "check", "--spec=spec", "--vectors=vectors"])
    return code, out.getvalue()
