"""The commands of the documentation that no test runs, each with the reason, and what is checked of it instead."""

import re
import shlex
import tomllib

from tests.docs.documented_commands import ROOT

NOT_RUN = {
    r"make [a-z]+": "what CI consists of, or long by design; the target must be there",
    r"python -m pip install .*": "it would install into the environment of the tests; the extras must be there",
    r"find .* -delete": "it would delete what was compiled for the tests; the folders must be there",
}
"""Patterns of whole commands, each with why it is not run."""


def reason_not_to_run(command: str) -> str | None:
    """Return why a command is not run, or None if it is."""
    return next((reason for pattern, reason in NOT_RUN.items() if re.fullmatch(pattern, command)), None)


def missing_of(command: str) -> list[str]:
    """Return what a command that is not run, or is only named, speaks of and the repository lacks."""
    words = shlex.split(command)
    if words[0] == "make":
        targets = set(re.findall(r"(?m)^(\w+):", (ROOT / "Makefile").read_text()))
        return [f"the target {one}" for one in words[1:] if one not in targets]
    if words[:3] == ["python", "-m", "pip"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        named = re.findall(r"\.\[([\w,]+)\]", command)
        extras = [extra for one in named for extra in one.split(",")]
        return [f"the extra {one}" for one in extras if one not in project["optional-dependencies"]]
    if words[:2] == ["python", "-m"]:
        path = words[2].replace(".", "/")
        found = (ROOT / f"{path}.py").is_file() or (ROOT / path / "__main__.py").is_file()
        return [] if found else [f"{path}.py"]
    return [one for one in words[1 : words.index("-name")] if not (ROOT / one).is_dir()]
