"""Fixtures of the tests in a browser."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.chromium import chromium
from tests.served_page import ServedPage, served_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser."""
    with chromium() as running:
        yield running


@pytest.fixture
def served() -> Iterator[ServedPage]:
    """Give a served page."""
    with served_page() as page:
        yield page


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Give what opens an address in a context of its own, and holds that nothing broke the policy or failed."""
    faults: list[str] = []
    contexts = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def open_address(url: str, *, width: int = 1280, theme: Literal["light", "dark"] = "light", **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            locale="en-GB",
            timezone_id="Europe/Paris",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        return page

    yield open_address
    for context in contexts:
        context.close()
    assert faults == []
