"""Takes into the site what lies beside `docs/` in the repository: MkDocs calls the functions `on_...` as it builds.

CONTRIBUTING.md becomes a page, recipes and schemas become files to fetch, and links to them, which hold in the
repository, are turned to hold in the site. Decisions and runbooks join the navigation, one for each file.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_ROOT = Path(__file__).parents[1]
_FETCHED = ("examples/*.*", "examples/consumers/*/*.*", "schemas/*.json", "schemas/json/*.json")
_PAGES = {"CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
_LINK = re.compile(r"\[(?P<text>[^]\n]*(?:\n[^]\n]*)?)\]\((?!\w+:|#|/)(?P<to>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put decisions and runbooks, all that there are, in their places of the navigation."""
    folders = {"Decisions": "adr", "Runbooks": "runbooks"}
    for section in config.nav or []:
        for entry in next(iter(section.values())) if isinstance(section, dict) else []:
            for title in folders.keys() & (entry if isinstance(entry, dict) else {}):
                found = sorted((Path(config.docs_dir) / folders[title]).glob("*.md"), key=_index_first)
                entry[title] = [f"{folders[title]}/{one.name}" for one in found]
    return config


def _index_first(path: Path) -> tuple[bool, str]:
    return path.name != "index.md", path.name


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files that lie beside `docs/`."""
    files.append(File.generated(config, "contributing.md", content=(_ROOT / "CONTRIBUTING.md").read_text()))
    for pattern in _FETCHED:
        for path in sorted(_ROOT.glob(pattern)):
            files.append(File.generated(config, str(path.relative_to(_ROOT)), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return a page's text with links that hold in the site; of what only the repository has, the name is left."""
    uri = page.file.src_uri
    source = "CONTRIBUTING.md" if uri == "contributing.md" else f"docs/{uri}"

    def turned(link: re.Match[str]) -> str:
        in_repository = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["to"]))
        in_site = _PAGES.get(in_repository, in_repository.removeprefix("docs/"))
        if in_site not in files.src_uris and (_ROOT / in_repository).exists():
            return link["text"]
        return f"[{link['text']}]({link_in_site(source, uri, link['to'])}{link['anchor'] or ''})"

    return _LINK.sub(turned, markdown)


def link_in_site(source: str, uri: str, link: str) -> str:
    """Return a link as the site's page `uri` must have it, which in the repository is the file `source`.

    >>> link_in_site("docs/recipes.md", "recipes.md", "../examples/german.toml")
    'examples/german.toml'
    >>> link_in_site("docs/adr/0002.md", "adr/0002.md", "../replay.md")
    '../replay.md'
    >>> link_in_site("CONTRIBUTING.md", "contributing.md", "docs/adr/0002.md")
    'adr/0002.md'
    """
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    target = _PAGES.get(target, target.removeprefix("docs/"))
    return posixpath.relpath(target, posixpath.dirname(uri) or ".")
