"""Text as Markdown, for the pages that are made."""

from collections.abc import Sequence

NOTICE = "<!-- Made by `make reference`: change the code that it is made of. -->\n"
"""What every page begins with."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Return a table; bars within cells are escaped, and line breaks become spaces.

    >>> print(table(["a", "b"], [["1", "x|y"]]))
    | a | b |
    |---|---|
    | 1 | x\|y |
    """
    lines = [_row(header), "|" + "---|" * len(header), *(_row(row) for row in rows)]
    return "\n".join(lines)


def code(text: object) -> str:
    """Return text as inline code, or nothing of no text."""
    return f"`{text}`" if str(text) else ""


def page(title: str, *parts: str) -> str:
    """Return a whole page: the notice, its title, and its parts, a line apart; a wide one if nothing is below it."""
    begin = "" if any(part.startswith("#") for part in parts) else "---\nhide:\n  - toc\n---\n\n"
    return "\n\n".join([f"{begin}{NOTICE}\n# {title}", *(part.strip("\n") for part in parts)]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
