"""What the documentation names in passing, within a sentence or a console, is there."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from reference_pages.command_line_page import verbs_of
from riskstream import main
from stream.settings import Settings
from tests.docs.commands_not_run import missing_of
from tests.docs.documented_commands import ROOT, fences, name_of, pages

_INLINE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")
_ENDS = re.compile(r"[|;&]")
_VARIABLE = re.compile(r"\bRISKSTREAM_[A-Z_]+\b")
_METRIC = re.compile(r"`(riskstream_[a-z_0-9]+)")
_OWN_VARIABLES = {"RISKSTREAM_FAULT_SEED"}
"""Variables of tests, not of workers."""


@cache
def verbs() -> dict[str, Any]:
    """Return every verb by its words."""
    return dict(verbs_of(typer.main.get_command(main)))


def inline(page: Path) -> list[str]:
    """Return the inline code of a page, that of fenced blocks left out."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text())
    return [" ".join(found.split()) for found in _INLINE.findall(text)]


def named(page: Path) -> list[str]:
    """Return what a page names within sentences and shows in consoles that no test runs."""
    consoles = [line.removeprefix("$ ") for _, block in fences(page, "console") for line in block.splitlines()]
    return [*inline(page), *consoles]


def problem_of(command: str) -> str | None:
    """Return what is wrong with a command of riskstream that is only named, perhaps in part."""
    if "riskstream " not in command:
        return None
    words = shlex.split(_ENDS.split(command)[0], comments=True)
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words.pop(0)
    if words[:1] != ["riskstream"]:
        return None
    at = next((size for size in (3, 2) if " ".join(words[:size]) in verbs()), None)
    if at is None:
        # The name of a group, or of the program.
        group = " ".join(words)
        return None if any(verb.startswith(group) for verb in verbs()) else f"no such verb: {' '.join(words[1:])}"
    verb = " ".join(words[:at])
    known = {option for parameter in verbs()[verb].params for option in (*parameter.opts, *parameter.secondary_opts)}
    wrong = [word for word in words[at:] if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in known]
    return f"no such option of {verb}: {' '.join(wrong)}" if wrong else None


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_named_commands_exist(page: Path) -> None:
    """A verb, option, make target or module that a sentence names is one that a reader can use."""
    code = [one for one in named(page) if "…" not in one]
    wrong = [f"{one}: {problem}" for one in code if (problem := problem_of(one))]
    repository = [
        one for one in code if re.match(r"(make [a-z]+$|python -m (benchmarks|schemas|reference_pages))", one)
    ]
    wrong += [f"{one}: {missing}" for one in repository if "NAME" not in one for missing in missing_of(one)]
    assert wrong == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_named_variables_are_settings(page: Path) -> None:
    """A variable that a page names is a setting, so that a reader does not set one in vain."""
    settings = {f"RISKSTREAM_{name.upper()}" for name in Settings.model_fields} | _OWN_VARIABLES
    text = re.sub(r"`RISKSTREAM_[A-Z_]*[<*]\S*`", "", page.read_text())
    assert {one.rstrip("_") for one in _VARIABLE.findall(text)} - settings == set()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_named_metrics_exist(page: Path) -> None:
    """A metric that a page names is one that a worker or the monitor shows."""
    shown = set(_METRIC.findall((ROOT / "docs" / "reference" / "metrics.md").read_text()))
    series = {name + suffix for name in shown for suffix in ("", "_bucket", "_sum", "_count")}
    text = page.read_text()
    assert {one.rstrip("_") for one in _METRIC.findall(text)} - series - {one.rstrip("_") for one in series} == set()
