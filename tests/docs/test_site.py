"""The site builds without a warning, and asks nothing of anybody else's server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.documented_commands import ROOT

_LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the site, built strictly: a page or anchor that is not there ends the build."""
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    """Each page of the documentation, and the guide for contributors, is in the site."""
    for path in (ROOT / "docs").rglob("*.md"):
        at = path.relative_to(ROOT / "docs").with_suffix("")
        assert (site / (at.parent if at.name == "index" else at) / "index.html").is_file(), path
    assert (site / "contributing" / "index.html").is_file()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """No page loads a script, style, font or image from another host."""
    loaded = {one for page in site.rglob("*.html") for one in _LOADED.findall(page.read_text())}
    styles = {one for sheet in site.rglob("*.css") for one in re.findall(r"url\((https?:[^)]+)\)", sheet.read_text())}
    assert loaded | styles == set()


def test_recipes_and_schemas_can_be_fetched(site: Path) -> None:
    """Files beside the documentation that pages link to are in the site."""
    assert (site / "schemas" / "asyncapi.json").read_text() == (ROOT / "schemas" / "asyncapi.json").read_text()
    assert (site / "examples" / "applications.toml").is_file()
