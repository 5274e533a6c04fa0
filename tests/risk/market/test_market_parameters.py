import msgspec
import pytest

from risk.market.market_parameters import ValueAtRiskRules, market_parameters_bytes, read_market_parameters
from tests.small_market_bundle import small_market_bundle

PARAMETERS = small_market_bundle().parameters


def test_parameters_are_read_as_they_were_written() -> None:
    """Equal parameters give equal bytes, which end a line and can be read by people."""
    content = market_parameters_bytes(PARAMETERS)
    again = read_market_parameters(content)
    assert again == PARAMETERS
    assert market_parameters_bytes(again) == content
    assert content.endswith(b"}\n")
    assert b'\n  "bars_per_year": 525600.0' in content


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'"bars_per_year": 525600.0', b'"bars_per_year": 0', "bars_per_year"),
        (b'"bars_per_year"', b'"bars_a_year"', "bars_a_year"),
        (b'"filtered_historical"', b'"crystal_ball"', "method"),
        (b"0.99", b"0.995", "lack 0.99"),
        (b'"horizon_bars"', b'"horizon"', "horizon"),
    ],
)
def test_other_parameters_are_refused(old: bytes, new: bytes, told: str) -> None:
    """A field that is unknown, of another type or out of range is named."""
    content = market_parameters_bytes(PARAMETERS)
    assert old in content
    with pytest.raises(ValueError, match=told):
        read_market_parameters(content.replace(old, new))


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"{"])
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    """Anything else is a ValueError and nothing worse."""
    with pytest.raises(ValueError, match=r".+"):
        read_market_parameters(content)


def test_levels_and_horizons_that_back_tests_need_must_be_there() -> None:
    """Without 99 % or one bar the error says what to add; levels may be many."""
    with pytest.raises(ValueError, match=r"levels \(0\.95,\) lack 0\.99.*add it"):
        ValueAtRiskRules(levels=(0.95,))
    with pytest.raises(ValueError, match=r"horizons_bars \(10,\) lack 1,.*add it"):
        ValueAtRiskRules(horizons_bars=(10,))
    with pytest.raises(msgspec.ValidationError, match="levels"):
        msgspec.convert({"levels": [0.99, 1.0]}, ValueAtRiskRules)
    assert ValueAtRiskRules(levels=(0.9, 0.99, 0.999), horizons_bars=(1,)).levels == (0.9, 0.99, 0.999)
