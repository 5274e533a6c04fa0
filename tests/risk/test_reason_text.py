"""A reason in words."""

import pytest

from risk.bundle import FEATURES
from risk.reason_text import reason_text


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_has_words(feature: str) -> None:
    """No name of code is left in what a person reads, and the value is told."""
    text = reason_text(feature, 1.0, 0.25, currency="EUR", own=False)
    assert "_" not in text
    assert "customer" not in text or "the customer's" in text
    assert any(one in text for one in ("1", "100.0", "at night", "at the weekend"))


def test_a_feature_unknown_here_is_told_by_its_name() -> None:
    """A bundle may name what these words do not."""
    assert reason_text("device_age_7d", 3.0, 1.5, currency="EUR", own=False) == "device age of 7 days 3, usual 1.5"


def test_a_condition_is_told_on_either_side() -> None:
    """Paid by day is a reason too, and as usual as night is not."""
    assert reason_text("is_night", 0.0, 0.1, currency="EUR", own=False) == "paid by day, as 90.0 % are"
    assert reason_text("is_weekend", 1.0, 0.3, currency="EUR", own=False) == "paid at the weekend, as 30.0 % are"
