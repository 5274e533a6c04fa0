"""A hostile text, and a parser that tells what a page of HTML is made of."""

from html.parser import HTMLParser

HOSTILE = "</text></svg><script>alert(1)</script><img src=x onerror=y>\"'&--> ]]> $x$"
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Outline(HTMLParser):
    """Collects tags, attributes and text, and holds that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(document: str) -> Outline:
    """Return what a parser finds in a document, after holding it to be whole."""
    found = Outline()
    found.feed(document)
    found.close()
    assert found.open == []
    return found
