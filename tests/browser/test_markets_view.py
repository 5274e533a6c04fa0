from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.page_messages import bar, bar_records
from tests.served_page import ServedPage

Visit = Callable[..., Page]


def test_a_symbol_is_shown_with_its_zone_its_figures_and_what_closes_next(served: ServedPage, visit: Visit) -> None:
    """Charts are drawn, exceedances counted, and a bar that closes appears by itself; another symbol can be chosen."""
    page = visit(f"{served.url}/#/markets")
    head = page.locator(".symbol-head")
    expect(head).to_contain_text("EURUSD")
    expect(head).to_contain_text("6 of 250")
    expect(head).to_contain_text("yellow")
    expect(page.locator(".chart canvas")).to_have_count(3)
    drawn = page.evaluate(
        "[...document.querySelectorAll('.chart canvas')].every(one => one.getContext('2d')"
        ".getImageData(0, 0, one.width, one.height).data.some(value => value > 0))"
    )
    assert drawn
    expect(page.locator(".portfolios")).to_contain_text("carry")
    before = page.locator(".symbol-head time").text_content()
    served.take(bar_records([bar(121, exceeded=True)]))
    expect(page.locator(".symbol-head time")).not_to_have_text(before or "")
    expect(page.locator(".chart").nth(2)).to_contain_text("exceeded 0.09 %")
    page.get_by_role("button", name="USDJPY").click()
    expect(head).to_contain_text("USDJPY")
    assert page.url.endswith("#/markets?symbol=USDJPY")


def test_health_tells_of_workers_latency_and_lag(served: ServedPage, visit: Visit) -> None:
    """Figures come from a worker's metrics by differences; one that does not answer is shown as such."""
    page = visit(f"{served.url}/#/health")
    expect(page.locator(".card").first).to_contain_text("/s")
    expect(page.get_by_role("row", name="customers")).to_contain_text("9.9 ms", timeout=15_000)
    expect(page.locator(".panel").filter(has=page.get_by_role("heading", name="Workers 1 of"))).to_contain_text(
        "1 of 1 answer"
    )
    expect(page.locator(".card").nth(3)).to_contain_text("12")
