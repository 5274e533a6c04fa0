import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rates.irrbb import (
    SCENARIOS,
    SHOCK_SIZES,
    ShockSizes,
    economic_value_losses,
    shock_sizes,
    shocks_bp,
    worst_loss,
)
from risk.rates.rate_sensitivity import present_value

BASEL = {
    "parallel": "ARS 400 AUD 300 BRL 400 CAD 200 CHF 100 CNY 250 EUR 200 GBP 250 HKD 200 IDR 400 INR 400 JPY 100"
    " KRW 300 MXN 400 RUB 400 SAR 200 SEK 200 SGD 150 TRY 400 USD 200 ZAR 400",
    "short": "ARS 500 AUD 450 BRL 500 CAD 300 CHF 150 CNY 300 EUR 250 GBP 300 HKD 250 IDR 500 INR 500 JPY 100"
    " KRW 400 MXN 500 RUB 500 SAR 300 SEK 300 SGD 200 TRY 500 USD 300 ZAR 500",
    "long": "ARS 300 AUD 200 BRL 300 CAD 150 CHF 100 CNY 150 EUR 100 GBP 150 HKD 100 IDR 350 INR 300 JPY 100"
    " KRW 200 MXN 300 RUB 300 SAR 150 SEK 150 SGD 100 TRY 300 USD 150 ZAR 300",
}
"""Table 1 of annex 2 of d368, row by row."""


@pytest.mark.parametrize("end", ["parallel", "short", "long"])
def test_sizes_are_those_of_the_standard(end: str) -> None:
    """Each of Basel's 21 currencies has the published size."""
    words = BASEL[end].split()
    published = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    assert len(published) == 21
    assert {one: getattr(SHOCK_SIZES[one], f"{end}_bp") for one in published} == published


def test_shocks_by_hand() -> None:
    """USD at 2 years, by hand: the decay exp(-2/4) is 0.60653, so short moves 181.96 bp and long 59.02 bp."""
    short, long = 300 * 0.6065306597, 150 * (1 - 0.6065306597)
    by_hand = [200, -200, -0.65 * short + 0.9 * long, 0.8 * short - 0.6 * long, short, -short]
    assert shocks_bp(shock_sizes("USD"), np.array([2.0]))[:, 0] == pytest.approx(by_hand, abs=1e-6)
    assert by_hand[2:4] == pytest.approx([-65.15512, 110.15512], abs=1e-4)


def test_losses_by_hand() -> None:
    """EUR 100 at 1 year and 1,000 at 10 years on a curve at 2 %, each scenario by hand."""
    decay_1, decay_10 = math.exp(-0.25), math.exp(-2.5)
    moves = {
        "parallel_up": (200.0, 200.0),
        "parallel_down": (-200.0, -200.0),
        "steepener": (-0.65 * 250 * decay_1 + 0.9 * 100 * (1 - decay_1), -0.65 * 250 * decay_10 + 90 * (1 - decay_10)),
        "flattener": (0.8 * 250 * decay_1 - 0.6 * 100 * (1 - decay_1), 0.8 * 250 * decay_10 - 60 * (1 - decay_10)),
        "short_up": (250 * decay_1, 250 * decay_10),
        "short_down": (-250 * decay_1, -250 * decay_10),
    }
    before = 100 * math.exp(-0.02) + 1000 * math.exp(-0.2)
    by_hand = [
        before - 100 * math.exp(-0.02 - one / 1e4) - 1000 * math.exp(-0.2 - 10 * ten / 1e4)
        for one, ten in (moves[name] for name in SCENARIOS)
    ]
    found = economic_value_losses(
        np.array([1.0]), np.array([2.0]), np.array([1.0, 10.0]), np.array([100.0, 1000.0]), shock_sizes("EUR")
    )
    assert found == pytest.approx(np.array(by_hand), abs=1e-9)
    assert found[0] == pytest.approx(150.3516, abs=1e-3)


@given(
    st.lists(st.floats(-2.0, 12.0), min_size=3, max_size=3).map(np.array),
    st.lists(st.tuples(st.floats(0.0, 40.0), st.floats(-1e3, 1e3)), min_size=1, max_size=9),
)
def test_a_loss_is_the_value_on_the_curve_less_the_value_on_the_shocked_curve(
    zero: np.ndarray, flow: list[tuple[float, float]]
) -> None:
    """Cash flows one by one, each discounted at its own shocked zero rate, lose the same."""
    tenors, sizes = np.array([1.0, 5.0, 20.0]), shock_sizes("GBP")
    expected = np.zeros(6)
    for years, amount in flow:
        time, one = np.array([years]), np.array([amount])
        factor = present_value(tenors, zero, time, np.array([1.0]))
        for at, move in enumerate(shocks_bp(sizes, time)[:, 0]):
            expected[at] += float(one[0]) * factor * (1.0 - math.exp(-move / 1e4 * years))
    times, amounts = np.array([one[0] for one in flow]), np.array([one[1] for one in flow])
    assert economic_value_losses(tenors, zero, times, amounts, sizes) == pytest.approx(expected, abs=1e-8)


def test_only_currencies_that_lose_count() -> None:
    """A gain in one currency sets nothing off in another, and no loss anywhere is no risk."""
    assert worst_loss(np.array([[3.0, -3.0, 0, 0, 0, 0], [4.0, -9.0, 0, 0, 0, 0]])) == 7.0
    assert worst_loss(-np.ones((2, 6))) == 0.0
    assert worst_loss(np.empty((0, 6))) == 0.0


def test_a_currency_without_sizes_is_named() -> None:
    """The error names the currency and what to do."""
    with pytest.raises(ValueError, match=r"currency='NZD'.*ShockSizes of your own"):
        shock_sizes("NZD")
    assert shocks_bp(ShockSizes(1.0, 2.0, 3.0), np.array([0.0]))[4, 0] == 2.0
