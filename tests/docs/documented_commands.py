"""The commands that the documentation shows, as a reader would type them one after the other."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*).*\n(?P<text>(?:.*\n)*?)(?P=indent)```$", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """A command on a page, without its comment; `line` is where it begins, from 1 on."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def pages() -> list[Path]:
    """Return every page of the documentation, the README and the guide for contributors first."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    """Return a page's path in the repository."""
    return str(page.relative_to(ROOT))


def fences(page: Path, language: str) -> list[tuple[int, str]]:
    """Return the fenced blocks of a language, each with the number of its first line."""
    text = page.read_text()
    return [
        (text.count("\n", 0, one.start("text")) + 1, re.sub(rf"(?m)^{one['indent']}", "", one["text"]))
        for one in _FENCE.finditer(text)
        if one["language"] == language
    ]


def commands(page: Path) -> list[Command]:
    """Return the commands of a page's `sh` blocks, in order; a line that ends with a backslash goes on in the next."""
    found = []
    for first, block in fences(page, "sh"):
        begun, begun_at = "", first
        for number, line in enumerate(block.splitlines(), first):
            if not begun:
                begun_at = number
            begun += without_comment(line)
            if begun.endswith("\\"):
                begun = begun[:-1].rstrip() + " "
                continue
            if begun:
                found.append(Command(name_of(page), begun_at, begun))
            begun = ""
    return found


def without_comment(line: str) -> str:
    """Return a line of a shell without the comment at its end."""
    return re.sub(r"(^|\s+)#(\s.*)?$", "", line).strip()
