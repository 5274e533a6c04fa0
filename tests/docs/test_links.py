"""The links of the README and of the guide for contributors lead somewhere; those of the site are held by its build."""

import re

import pytest

from tests.docs.documented_commands import ROOT

_LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"(?m)^#+ (.+)$")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MkDocs name them."""
    titles = _HEADING.findall(re.sub(r"(?ms)^```.*?^```$", "", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_link_leads_to_a_heading_that_is_there(name: str) -> None:
    """A link names a file of the repository, and a heading in it where it names one."""
    page = ROOT / name
    wrong = []
    for path, anchor in _LINK.findall(page.read_text()):
        target = page if not path else page.parent / path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            wrong.append(f"{path}#{anchor}")
    assert wrong == []
