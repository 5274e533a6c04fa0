from typing import Any

import msgspec
import pytest

from risk.portfolios.correlation_model import MOST_TRAINED_SYMBOLS, CorrelationModel

GOOD: dict[str, Any] = {"symbols": ("A", "B"), "news": 0.05, "decay": 0.9, "target": ((1.0, 0.5), (0.5, 1.0))}


def test_a_model_decodes_as_it_was() -> None:
    """A model comes back from JSON as it was, and one of no symbols is the default."""
    model = CorrelationModel(**GOOD)
    assert msgspec.json.decode(msgspec.json.encode(model), type=CorrelationModel) == model
    assert msgspec.json.decode(b"{}", type=CorrelationModel) == CorrelationModel()
    assert CorrelationModel().target_matrix().shape == (0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"news": 0.1}, r"news 0.1 \+ decay 0.9: must be below 1"),
        ({"news": float("nan")}, "news nan"),
        ({"symbols": ("A", "A")}, "symbols: 2 given"),
        ({"symbols": ("A",)}, "target: has 2 rows for 1 symbols"),
        ({"target": ((1.0, 0.5), (0.5,))}, "target: has 2 rows"),
        ({"target": ((1.0, 0.5), (0.4, 1.0))}, "not symmetric"),
        ({"target": ((1.1, 0.5), (0.5, 1.0))}, "ones in its diagonal"),
        ({"target": ((1.0, 1.5), (1.5, 1.0))}, "least eigenvalue is -0.5"),
        ({"target": ((1.0, float("nan")), (float("nan"), 1.0))}, "not symmetric"),
    ],
)
def test_what_is_no_model_is_refused(change: dict[str, Any], message: str) -> None:
    """Parameters that would let correlations explode or be none raise an error that names them."""
    with pytest.raises(ValueError, match=message):
        CorrelationModel(**(GOOD | change))


def test_no_more_symbols_than_every_partition_can_follow() -> None:
    """More trained symbols than the limit are refused."""
    with pytest.raises(ValueError, match=f"give at most {MOST_TRAINED_SYMBOLS}"):
        CorrelationModel(symbols=tuple(str(at) for at in range(MOST_TRAINED_SYMBOLS + 1)))
