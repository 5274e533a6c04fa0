from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from stream.settings import Settings
from tests.browser.chromium import SCREENSHOTS
from tests.page_messages import alert
from tests.served_page import ServedPage, served_page

Visit = Callable[..., Page]

VIEWS = {
    "alerts": ("#/alerts", ".overview"),
    "alert": (f"#/alerts?alert={1:032x}", ".detail .sum"),
    "markets": ("#/markets", ".symbol-head"),
    "health": ("#/health", ".card"),
}
"""By name: the address of a view, and what shows that it is there."""


def hold(page: Page) -> None:
    """Hold a page to what axe finds: nothing serious, nothing critical."""
    found = Axe().run(page).response["violations"]
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    assert bad == [], [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in bad]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_can_be_used_by_everyone(served: ServedPage, visit: Visit, theme: str) -> None:
    """In both themes axe finds nothing serious in any view, in an open alert, and in the help."""
    served.publish(*(alert(at, severity=("low", "medium", "high", "critical")[at % 4]) for at in range(24)))
    for name, (path, there) in VIEWS.items():
        # Axe's script is of the test's, which the page's policy rightly refuses.
        page = visit(f"{served.url}/{path}", theme=theme, bypass_csp=True)
        expect(page.locator(there).first).to_be_visible()
        page.wait_for_timeout(400)
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png")
        hold(page)
    page.keyboard.press("?")
    hold(page)


def test_the_login_is_usable_and_leads_to_the_page(visit: Visit) -> None:
    """A wrong token is refused in words, the right one opens the page, and neither shows in the address."""
    token = "correct-horse-battery"
    with served_page(Settings(page_token=SecretStr(token))) as served:
        page = visit(served.url, bypass_csp=True)
        expect(page).to_have_url(f"{served.url}/login")
        hold(page)
        page.screenshot(path=SCREENSHOTS / "login.png")
        page.get_by_label("Token").fill("wrong-horse-battery")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("That is not the token")
        hold(page)
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#connection")).to_have_text("live")
        assert token not in page.url
        cookie = page.context.cookies()[0]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")


def test_motion_is_left_out_for_who_wants_none(served: ServedPage, visit: Visit) -> None:
    """With reduced motion a new alert does not fade in."""
    page = visit(served.url, reduced_motion="reduce")
    expect(page.locator("#connection")).to_have_text("live")
    served.publish(alert(1))
    expect(page.locator(".alerts li")).to_have_count(1)
    assert page.locator(".alerts li").evaluate("node => getComputedStyle(node).animationName") == "none"
