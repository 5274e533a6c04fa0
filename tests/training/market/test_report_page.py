import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.hostile import HOSTILE, outline
from tests.training.market.small_report import small_report
from training.market.report import MarketReport, ReportError, RiskColumns
from training.market.report_page import in_short, report_page

SECTIONS = (
    "In short",
    "Price and value at risk",
    "Volatility and losses",
    "Back-tests",
    "Traffic light",
    "Residuals",
    "Ways compared",
    "Forecast skill",
    "How it was made",
)


def with_exceedances(report: MarketReport, at: list[int]) -> MarketReport:
    """Return a report at 99 % alone whose losses exceeded at some bars."""
    exceeded = np.isin(np.arange(len(report)), at)
    light = report.traffic_light
    level = RiskColumns(0.99, light.value_at_risk_percent, light.expected_shortfall_percent, exceeded)
    return replace(report, levels=(level,), back_tests=())


@cache
def whole_page() -> str:
    """Return the page of a report with every part; a page takes seconds to draw."""
    return report_page(small_report())


def test_the_page_has_every_part() -> None:
    """All sections, seven drawings, each back-test of each level, and the figures of what was compared."""
    report = small_report()
    found = outline(whole_page())
    for told in (*SECTIONS, "Market risk of ACME", "one ACME", "walker ACME", "A note of ACME.", "Nothing beats"):
        assert told in found.text, told
    assert found.tags.count("svg") == 7
    for test in report.back_tests:
        assert test.name in found.text
        assert test.asks in found.text
    assert "nan" not in found.text


def test_a_page_needs_no_other_file_and_runs_nothing() -> None:
    """Nothing is fetched, and the page's own policy forbids scripts."""
    document = whole_page()
    assert "script" not in outline(document).tags
    assert "default-src 'none'" in document
    assert not re.search(r"(src|href)=\"?(?!#)[a-z]+:", document)


def test_equal_reports_give_equal_pages() -> None:
    """Byte for byte."""
    assert report_page(small_report()) == whole_page()


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    """Whatever the names of symbol, source, models, forecasters and periods are, they are text."""
    found = outline(report_page(small_report(name=HOSTILE)))
    assert "script" not in found.tags
    assert "img" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert found.text.count(HOSTILE) >= 8


@pytest.mark.parametrize("bars", [2, 250])
def test_a_page_of_few_bars_is_whole(bars: int) -> None:
    """What cannot be told of so few is said to be so, and nothing fails."""
    report = small_report(bars)
    found = outline(report_page(report))
    assert ("fewer than 250 bars" in found.text) == (bars < 250)
    assert "nan" not in found.text.replace("Dynamic", "")


def test_a_page_without_the_optional_parts_is_whole() -> None:
    """Back-tests, ways compared, forecasts, a period set aside, notes and the command may be absent."""
    report = replace(
        with_exceedances(small_report(), [10, 20, 30, 40, 50]),
        candidates=(),
        skills=(),
        skill_verdicts=(),
        set_aside=None,
        notes=(),
        command="",
    )
    found = outline(report_page(report))
    assert "Ways compared" not in found.text
    assert "No forecasts were scored." in found.text
    assert "No back-test was made." in found.text
    # The windows that hold all five exceedances end at bar 249, the first that can end, to bar 259.
    assert found.text.count("2007-09-07 to 2007-09-17") == 2
    assert "It was not for windows that ended from 2007-09-07 to 2007-09-17." in in_short(report)[2]


def test_a_price_that_stands_still_and_always_exceeds_is_shown() -> None:
    """What has no variation leaves a whole page."""
    report = with_exceedances(small_report(), list(range(600)))
    zeros = np.zeros(600)
    report = replace(report, close=np.ones(600), log_return_percent=zeros, loss_percent=zeros, z=zeros)
    found = outline(report_page(report))
    assert "nan" not in found.text
    assert "There are too few residuals, or all alike, for tests." in found.text
    assert "red" in found.text


def test_a_light_that_was_always_green_is_said_to_be() -> None:
    """Four exceedances in all leave every window green."""
    report = with_exceedances(small_report(), [10, 20, 30, 40])
    assert "It was never anything else." in in_short(report)[2]


def test_back_tests_that_speak_against_the_forecasts_are_told_first() -> None:
    """A value at risk that is far too low is said not to be relied on, and why."""
    report = small_report()
    failed = replace(report.back_tests[-1], passed=False, level=0.99, verdict="red; adds 1.00 to the multiplier of 3")
    told = in_short(replace(report, back_tests=(failed,)))[1]
    assert "Do not rely on it alone" in told
    assert "red; adds 1.00" in told
    assert "can be relied on" in in_short(replace(report, back_tests=(replace(failed, passed=True),)))[1]


def test_the_last_forecast_is_told_in_plain_words() -> None:
    """Value at risk, shortfall and volatility of the last bar, with the odds of the level."""
    told = in_short(small_report())[0]
    assert "in 99 of 100 bars the loss is at most 2.33% of the price" in told
    assert "2.67% on average" in told
    assert "Volatility was 15.9% a year" in told


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"close": np.ones(3)}, "close: has 3 bars where end_ns has 600"),
        ({"levels": ()}, "levels: is empty"),
        ({"end_ns": np.arange(1)}, "end_ns: has 1 bars"),
    ],
)
def test_columns_that_do_not_fit_are_refused(changes: dict[str, object], says: str) -> None:
    """The error names the column, its length and the remedy."""
    with pytest.raises(ReportError, match=says):
        replace(small_report(), **changes)  # type: ignore[arg-type]
