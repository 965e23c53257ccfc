"""The rules as a page to read: the catalogue in ``spec/``, and ``explain`` on the command line."""

from __future__ import annotations

import difflib
import re
import textwrap

from ..contract.rules import Case, Chapter, Contract, Generated, Rule
from ..errors import UsageError
from ..findings.words import PYTHON


def page(contract: Contract) -> str:
    """Return the whole catalogue as Markdown."""
    count = len(contract.rules)
    lines = [
        "# The rules",
        "",
        f"Session contract {contract.version}: {count} rules. "
        "`teleproto-conformance vectors generate` makes this page from `spec/rules/`.",
        "",
    ]
    for chapter in contract.chapters:
        lines += [f"- [{chapter.id}](#{_anchor(chapter)}) {chapter.title}"]
    for chapter in contract.chapters:
        lines += ["", f"## {chapter.id} {chapter.title}", "", chapter.about.strip()]
        for rule in chapter.rules:
            lines += ["", *_markdown(contract, chapter, rule)]
    return "\n".join(lines) + "\n"


def _anchor(chapter: Chapter) -> str:
    heading = f"{chapter.id} {chapter.title}".lower()
    return re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")


def _markdown(contract: Contract, chapter: Chapter, rule: Rule) -> list[str]:
    lines = [
        f"### {rule.id}",
        "",
        f"**{rule.level}** {rule.rule}",
        "",
        f"- Why: {rule.why}",
        f"- Promised by: {_profiles(contract, rule)}",
        f"- Source: {rule.source}",
    ]
    if rule.excluded:
        lines.append(f"- Not checked: {rule.excluded}")
    lines += [f"- Checked by: {line}" for line in _checks(chapter, rule)]
    return lines


def _profiles(contract: Contract, rule: Rule) -> str:
    if set(rule.profiles) == set(contract.profiles):
        return "every profile"
    return ", ".join(rule.profiles)


def _checks(chapter: Chapter, rule: Rule) -> list[str]:
    comments: dict[str, list[str]] = {}
    for case in _cases(chapter, rule):
        comments.setdefault(case.comment, []).append(case.id)
    lines = [
        f"`{ids[0]}` {comment}"
        if len(ids) == 1
        else f"`{ids[0]}` and {len(ids) - 1} more: {comment}"
        for comment, ids in comments.items()
    ]
    return lines + [f"`{entry.id}` {entry.comment}" for entry in _generated(chapter, rule)]


def _cases(chapter: Chapter, rule: Rule) -> list[Case]:
    return [case for case in chapter.cases if case.rule == rule.id]


def _generated(chapter: Chapter, rule: Rule) -> list[Generated]:
    return [entry for entry in chapter.generated if entry.rule == rule.id]


def listing(contract: Contract) -> str:
    """Return one line for each rule, chapter by chapter."""
    lines = []
    for chapter in contract.chapters:
        lines += ["", f"{chapter.id}  {chapter.title}"]
        lines += [f"  {rule.id:<11} {rule.level:<7} {rule.rule}" for rule in chapter.rules]
    return "\n".join(lines[1:])


def explain(contract: Contract, name: str) -> str:
    """Return a rule, or a single check such as ``DC-3[round-trip-1-to-2]``, with its traces.

    :raises UsageError: if there is no such rule or check.
    """
    rule_id = name.partition("[")[0].upper()
    rule = contract.rules.get(rule_id)
    if rule is None:
        near = difflib.get_close_matches(rule_id, contract.rules, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(
            f"there is no rule {rule_id}{hint}; `teleproto-conformance rules` lists them all"
        )
    chapter = next(chapter for chapter in contract.chapters if rule in chapter.rules)
    if "[" in name:
        return _one(chapter, rule, name)
    lines = [
        f"{rule.id} ({rule.level}) {rule.rule}",
        "",
        f"Why it matters   {rule.why}",
        f"Promised by      {_profiles(contract, rule)}",
        f"Source           {rule.source}",
    ]
    if rule.excluded:
        lines.append(f"Not checked      {rule.excluded}")
    alike: dict[str, list[Case]] = {}
    for case in _cases(chapter, rule):
        alike.setdefault(case.comment, []).append(case)
    for first, *others in alike.values():
        lines += ["", *_trace(first)]
        if others:
            names = ", ".join(other.id.partition("[")[2].rstrip("]") for other in others)
            lines += textwrap.wrap(f"and the same for {names}", 96, break_on_hyphens=False)
    for entry in _generated(chapter, rule):
        lines += ["", f"{entry.id}  {entry.comment} The suite draws its traces at run time."]
    return "\n".join(lines)


def _one(chapter: Chapter, rule: Rule, name: str) -> str:
    wanted = rule.id + name[name.index("[") :]
    for case in _cases(chapter, rule):
        if case.id == wanted:
            return "\n".join(_trace(case))
    for entry in _generated(chapter, rule):
        if entry.id == wanted:
            return f"{entry.id}  {entry.comment}"
    raise UsageError(f"{rule.id} has no check {wanted}; `explain {rule.id}` shows its checks")


def _trace(case: Case) -> list[str]:
    lines = [f"{case.id}  {case.comment}"]
    for number, step in enumerate(case.trace, 1):
        expected = PYTHON.told(step)
        lines.append(
            f"  {number:>3}  {PYTHON.step(step)}" + (f"   -> {expected}" if expected else "")
        )
    return lines
