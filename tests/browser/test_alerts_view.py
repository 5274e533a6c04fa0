import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import SCREENSHOTS
from tests.page_messages import alert
from tests.served_page import ServedPage

Visit = Callable[..., Page]

HOSTILE = {
    "tags": "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "quotes": '"\'` onmouseover=alert(1) x="',
    "direction": "\u202egnp.exe\u2066\u200f",
    "long": "x" * 10_000,
    "nul": "a\x00b\x1b[31m\u2028c",
    "emoji": "\U0001f3f4\u200d\u2620\ufe0f" * 40,
    "prototype": "__proto__",
    "path": "../../login?x=1#y",
}


def rows(page: Page) -> list[str]:
    """Return who the shown alerts are on, from the top."""
    return page.locator(".alerts bdi").all_text_contents()


def test_alerts_appear_live_and_newest_first(served: ServedPage, visit: Visit) -> None:
    """What was there is shown, what comes appears at the top by itself, and the connection is told to be live."""
    served.publish(*(alert(at) for at in range(3)))
    page = visit(served.url)
    expect(page.locator("#connection")).to_have_text("live")
    expect(page.locator(".alerts li")).to_have_count(3)
    served.publish(alert(7, severity="critical"))
    expect(page.locator(".alerts li").first).to_contain_text("customer-00007")
    assert rows(page) == [f"customer-{at:05}" for at in (7, 2, 1, 0)]
    expect(page).to_have_title("Alerts · riskstream")


def test_the_list_holds_still_under_the_pointer_and_counts_what_waits(served: ServedPage, visit: Visit) -> None:
    """Pointing at the list holds it; what came meanwhile is counted, and shown on demand or when the pointer leaves."""
    served.publish(alert(1))
    page = visit(served.url)
    page.locator(".alerts li").first.hover()
    served.publish(alert(2), alert(3))
    expect(page.locator(".news")).to_have_text("2 new")
    assert rows(page) == ["customer-00001"]
    page.mouse.move(900, 400)
    expect(page.locator(".alerts li")).to_have_count(3)
    page.keyboard.press("p")
    served.publish(alert(4))
    expect(page.locator(".news")).to_have_text("1 new")
    page.keyboard.press("n")
    expect(page.locator(".alerts li")).to_have_count(4)


def test_filters_narrow_the_list_and_stand_in_the_address(served: ServedPage, visit: Visit) -> None:
    """Severity, reason, outcome, search and entity narrow; the address alone gives the same view to another reader."""
    served.publish(alert(1), alert(2, severity="critical"), alert(3, severity="high", code="NIGHT_TIME"), alert(4))
    page = visit(served.url)
    expect(page.locator(".alerts li")).to_have_count(4)
    page.get_by_role("button", name="critical").click()
    expect(page.locator(".alerts li")).to_have_count(1)
    page.get_by_role("button", name="high").click()
    expect(page.locator(".alerts li")).to_have_count(2)
    page.get_by_label("Reason", exact=True).select_option("NIGHT_TIME")
    expect(page.locator(".alerts li")).to_have_count(1)
    assert "severity=critical%2Chigh&reason=NIGHT_TIME" in page.url
    other = visit(page.url)
    expect(other.locator(".alerts li")).to_have_count(1)
    expect(other.locator(".list-status")).to_contain_text("1 of 4 alerts")
    page.get_by_role("button", name="Clear").click()
    page.keyboard.press("/")
    page.keyboard.type("CUSTOMER-00004")
    expect(page.locator(".alerts li")).to_have_count(1)
    page.locator("#search").fill("nothing is like this")
    expect(page.locator(".empty")).to_contain_text("No alert is like that")
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Outcome", exact=True).select_option("review")
    expect(page.locator(".alerts li")).to_have_count(2)


def test_an_open_alert_says_why(served: ServedPage, visit: Visit) -> None:
    """The panel has the reasons in words, each feature beside what is usual, and that it all adds up."""
    served.publish(alert(1, severity="critical"))
    page = visit(served.url)
    page.locator(".alerts li").click()
    panel = page.locator(".detail")
    expect(panel.locator("h2")).to_have_text("customer customer-00001")
    expect(panel).to_contain_text("amount 412.00 EUR, usual for this customer 37.20")
    expect(panel.locator(".sum")).to_contain_text("It adds up: usual 0.0200 +0.6800 = 0.7000")
    amount = panel.get_by_role("row", name=re.compile("^amount"))
    expect(amount).to_contain_text("412")
    expect(amount).to_contain_text("37.2")
    expect(amount).to_contain_text("+0.4100")
    expect(panel.locator(".note")).to_contain_text("the alert came of small 0123456789ab")
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)


def test_keys_do_all_that_a_pointer_does(served: ServedPage, visit: Visit) -> None:
    """Keys move along the list, open and close, search, change views and tell of themselves; the focus is seen."""
    served.publish(*(alert(at) for at in range(5)))
    page = visit(served.url)
    expect(page.locator(".alerts li")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(page.locator("[aria-selected=true]")).to_contain_text("customer-00003")
    assert page.locator("#alert-list").evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".detail h2")).to_contain_text("customer-00003")
    page.keyboard.press("Escape")
    expect(page.locator(".detail")).to_have_count(0)
    page.keyboard.press("2")
    expect(page.locator(".symbol-head h2")).to_have_text("EURUSD")
    page.keyboard.press("j")
    expect(page.locator(".symbol-head h2")).to_have_text("USDJPY")
    page.keyboard.press("3")
    expect(page.locator("h1")).to_have_text("Health")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Hold the list")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.locator(".alerts li")).to_have_count(5)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_alone(served: ServedPage, visit: Visit, name: str) -> None:
    """A customer's name is shown as text in the list, the overview, the panel and the address, and does nothing."""
    served.publish(alert(1), alert(2, entity_id=HOSTILE[name]), alert(3, entity_id=HOSTILE[name]))
    page = visit(served.url)
    expect(page.locator(".alerts li")).to_have_count(3)
    page.locator(".alerts li").first.click()
    expect(page.locator(".detail .sum")).to_be_visible()
    shown = page.locator(".detail h2 bdi").text_content() or ""
    assert shown.startswith(
        {"tags": "<img src=x", "direction": "\ufffdgnp.exe\ufffd\ufffd", "nul": "a\ufffdb\ufffd[31m"}.get(
            name, HOSTILE[name][:20]
        )
    )
    assert len(shown) <= 402
    expect(page.locator(".detail .waiting")).to_have_count(0)
    page.get_by_role("button", name="Only its alerts").click()
    expect(page.locator(".alerts li")).to_have_count(2)
    assert page.locator("img[src=x], script:not([src])").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("({}).polluted === undefined && Object.keys(Object.prototype).length === 0")


def test_the_list_is_bounded_and_grows_as_one_scrolls(served: ServedPage, visit: Visit) -> None:
    """Thousands of alerts do not make thousands of rows; further ones come as the reader scrolls to them."""
    served.publish(*(alert(at) for at in range(2_500)))
    page = visit(served.url)
    expect(page.locator(".list-status")).to_contain_text("2,000 alerts")
    assert page.locator(".alerts li").count() == 100
    page.locator(".alerts-scroll").evaluate("node => node.scrollTo(0, node.scrollHeight)")
    expect(page.locator(".alerts li").nth(150)).to_be_attached()
    assert rows(page)[0] == "customer-02499"


def test_a_broken_connection_is_told_and_taken_up_again(served: ServedPage, visit: Visit) -> None:
    """When the server lets the reader go, the page says so, comes back by itself, and has missed nothing."""
    served.publish(alert(1))
    page = visit(served.url)
    expect(page.locator("#connection")).to_have_text("live")
    page.context.set_offline(True)
    served.call(served.feed.log.close)
    expect(page.locator("#connection")).to_have_text("reconnecting")
    served.publish(alert(2))
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_have_text("live", timeout=30_000)
    expect(page.locator(".alerts li").first).to_contain_text("customer-00002")


def test_what_is_waited_for_is_told(served: ServedPage, visit: Visit) -> None:
    """Without alerts the page says that they will appear; without a broker, what it waits for."""
    page = visit(served.url)
    expect(page.locator(".empty")).to_contain_text("No alert yet")
    served.tails.waits_for = "the broker"
    page.keyboard.press("3")
    expect(page.locator("#banner")).to_contain_text("Waiting for the broker", timeout=15_000)


def test_narrow_screens_have_one_column_and_a_sheet(served: ServedPage, visit: Visit) -> None:
    """At 400 pixels nothing is wider than the screen, in any view, and an open alert covers it."""
    served.publish(*(alert(at, severity="high") for at in range(30)))
    page = visit(served.url, width=400)
    for view in ("alerts", "markets", "health"):
        page.goto(f"{served.url}/#/{view}")
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        clipped = page.evaluate(
            "[...document.querySelectorAll('main h2, main .chart, main .facts, main button')].filter(node =>"
            " !node.closest('.symbols, .wide') && node.getBoundingClientRect().right > 401).length"
        )
        assert clipped == 0, view
        page.screenshot(path=SCREENSHOTS / f"{view}-400.png")
    page.goto(f"{served.url}/#/alerts")
    page.locator(".alerts li").first.click()
    expect(page.locator(".detail .sum")).to_be_visible()
    box = page.locator(".side").bounding_box()
    assert box is not None
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 400, 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.screenshot(path=SCREENSHOTS / "alert-400.png")
    page.get_by_role("button", name="Close the alert").click()
    expect(page.locator(".side")).to_be_hidden()
