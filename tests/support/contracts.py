"""Small contracts: copies of ``spec/`` with a few chapters, for a test to change."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from .running import SPEC, Project, Run


@dataclass(frozen=True)
class Draft:
    """A contract that a test changes, with its vectors."""

    project: Project

    @property
    def spec(self) -> Path:
        """The directory of its YAML."""
        return self.project.path / "spec"

    @property
    def vectors(self) -> Path:
        """The directory of its vectors."""
        return self.project.path / "vectors"

    def run(self, action: str, **variables: str) -> Run:
        """Run ``teleproto-conformance vectors``."""
        return self.project.conformance(
            "vectors", action, "--spec=spec", "--vectors=vectors", **variables
        )

    def change(self, name: str, old: str, new: str) -> None:
        """Replace the first ``old`` in a file of the project; the file must contain ``old``."""
        path = self.project.path / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def draft(project: Project, *chapters: str) -> Draft:
    """Copy ``spec/``, but only the chapters with these names."""
    shutil.copytree(SPEC, project.path / "spec", ignore=shutil.ignore_patterns("rules", "RULES.md"))
    for name in chapters:
        text = (SPEC / "rules" / f"{name}.yaml").read_text(encoding="utf-8")
        project.write(f"spec/rules/{name}.yaml", text)
    made = Draft(project)
    listed = next(
        line
        for line in (SPEC / "contract.yaml").read_text(encoding="utf-8").splitlines()
        if line.startswith("chapters:")
    )
    made.change("spec/contract.yaml", listed, f"chapters: [{', '.join(chapters).upper()}]")
    return made
