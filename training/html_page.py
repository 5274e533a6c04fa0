"""One self-contained page of HTML: no script, no other file, light or dark as the reader's system is.

`Html` is markup that is safe to show; texts become it by the functions here, which escape them. So a name of a column
that looks like markup is shown, and never obeyed.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

Html = NewType("Html", str)
"""Markup that is safe to show."""

_NUMBER = re.compile(r"[-+]?[\d.]|-$")
_STYLE = """
:root { color-scheme: light dark;
  --paper: #ffffff; --ink: #1a1d21; --faint: #5c6670; --line: #d9dee3; --panel: #f5f7f9;
  --series-1: #0b66c3; --series-2: #c2410c; --series-3: #2f7d32; --series-4: #7c3aed; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14171a; --ink: #e8eaed; --faint: #9aa4ae; --line: #343b42; --panel: #1d2226;
  --series-1: #6cb2ff; --series-2: #ff9d66; --series-3: #7ccf80; --series-4: #b79bff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem clamp(0.75rem, 3vw, 2rem) 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
.lead { color: var(--faint); }
nav { margin: 1rem 0 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; font-size: 0.9rem; }
a { color: var(--series-1); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem;
  align-items: start; margin: 1rem 0; }
.figures > * { min-width: 0; margin: 0; }
figure { padding: 0.75rem; background: var(--panel); border-radius: 8px; }
figure svg { display: block; width: 100%; max-width: 36rem; height: auto; margin: 0 auto; }
figure svg text { font-family: inherit !important; }
figcaption, caption { color: var(--faint); font-size: 0.875rem; text-align: left; }
figcaption { margin-top: 0.5rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { padding-bottom: 0.25rem; }
th, td { padding: 0.3rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th:first-child { padding-left: 0; max-width: 22rem; overflow-wrap: break-word; }
tr > :last-child { padding-right: 0; }
td:last-child:not(.number) { min-width: 14rem; }
thead th { font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 400; }
.number { text-align: right; white-space: nowrap; }
pre { background: var(--panel); padding: 0.75rem; border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
"""


def page(title: str, lead: str, sections: Sequence[tuple[str, Sequence[Html]]]) -> str:
    """Return the whole document: `title`, one sentence of `lead`, and the sections, each a heading and its parts.

    The policy in its head forbids scripts and every other file, whatever the parts hold.

    >>> page("<b>", "", [("Figures", [paragraph("1 < 2")])]).count("&lt;")
    3
    """
    links = "".join(
        f'<a href="#section-{number}">{escape(heading)}</a>' for number, (heading, _) in enumerate(sections, 1)
    )
    body = "\n".join(
        f'<section id="section-{number}">\n<h2>{escape(heading)}</h2>\n' + "\n".join(parts) + "\n</section>"
        for number, (heading, parts) in enumerate(sections, 1)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n<nav>{links}</nav>\n</header>\n'
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def paragraph(text: str) -> Html:
    """Return a paragraph of plain text.

    >>> paragraph("a & b")
    '<p>a &amp; b</p>'
    """
    return Html(f"<p>{escape(text)}</p>")


def preformatted(text: str) -> Html:
    """Return text in a box, its line breaks kept: a command, a snippet."""
    return Html(f"<pre>{escape(text)}</pre>")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "") -> Html:
    """Return a table of texts, under an optional `caption`; the first cell of each row names it.

    A column that holds numbers alone, or dashes for what is missing, is set to the right. A table that is too wide for
    the screen scrolls by itself.

    >>> print(table(["name", "value"], [["<a>", "0.5"]]))
    <div class="wide"><table>
    <thead><tr><th scope="col">name</th><th scope="col" class="number">value</th></tr></thead>
    <tbody>
    <tr><th scope="row">&lt;a&gt;</th><td class="number">0.5</td></tr>
    </tbody></table></div>
    """
    cells = [list(row) for row in rows]
    of_numbers = [
        at > 0 and bool(cells) and all(_NUMBER.match(row[at]) is not None for row in cells)
        for at in range(len(headings))
    ]
    kind = [' class="number"' if numbers else "" for numbers in of_numbers]
    head = "".join(f'<th scope="col"{kind[at]}>{escape(one)}</th>' for at, one in enumerate(headings))
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td{kind[at]}>{escape(row[at])}</td>" for at in range(1, len(headings)))
        + "</tr>\n"
        for row in cells
    )
    told = f"<caption>{escape(caption)}</caption>\n" if caption else ""
    return Html(
        f'<div class="wide"><table>\n{told}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>'
    )


def figure(svg: Html, caption: str) -> Html:
    """Return a drawing, as `training/inline_svg.py` gives it, over its caption."""
    return Html(f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>")


def figures(drawn: Sequence[Html]) -> Html:
    """Return several figures side by side where the screen is wide enough."""
    return Html('<div class="figures">' + "\n".join(drawn) + "</div>")
