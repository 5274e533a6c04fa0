import re

import numpy as np
import pytest

from training.coded_column import code_column
from training.column_checks import check_column
from training.table import Numbers, Texts

random = np.random.default_rng(4)
NORMAL = random.normal(50.0, 5.0, size=1000)


def with_values(at: dict[int, float]) -> Numbers:
    """Return ordinary numbers but for some rows."""
    values = NORMAL.copy()
    values[list(at)] = list(at.values())
    return values


@pytest.mark.parametrize(
    ("values", "check", "told"),
    [
        ([str(at) for at in range(40)] + ["n/a", "1,5"], "mixed types", "40 of 42 values are numbers.*'n/a' in row 40"),
        ([None, "1", "2.5", "-3e4"], "numbers as text", "--categorical"),
        (["2026-01-01", None, "2026-02-03T10:00:00Z"], "dates as text", "'2026-01-01' in row 0"),
        (["31.12.2025", "1.1.2026"], "dates as text", "'31.12.2025'"),
        (np.tile([3.0, 1.0, 2.0, np.nan], 9), "perhaps a category", "takes 3 whole values only"),
        (with_values({7: np.inf, 9: -np.inf}), "infinite", "2 values are infinite, the first inf in row 7"),
        (with_values({5: -999.0, 8: -999.0}), "perhaps missing", "2 values are -999.*row 5"),
        (with_values({5: 99999.0, 8: 99999.0}), "perhaps missing", "2 values are 99999.*row 5"),
        (with_values({11: -4.5}), "few negatives", "1 of 1,000 values are below 0, the first -4.5 in row 11"),
    ],
)
def test_what_looks_wrong_is_found(values: Numbers | Texts, check: str, told: str) -> None:
    """Each check finds its fault alone, and tells the first row and value."""
    (found,) = check_column(code_column(values), declared_categorical=False)
    assert found.check == check
    assert re.search(told, found.message), found.message


@pytest.mark.parametrize(
    "values",
    [
        NORMAL,
        -NORMAL,
        np.full(9, np.nan),
        np.tile([0.0, 1.0], 50),
        np.arange(10.0),
        np.arange(100.0),
        np.round(NORMAL / 3.0, 1),
        ["a", "b", None] * 10,
        ["1", "2", "x"],
        ["north-south", "10-12 years"] * 5,
    ],
)
def test_what_is_ordinary_is_left_alone(values: Numbers | Texts) -> None:
    """Flags, counts, names, and texts of which some hold digits are nothing to tell of."""
    assert check_column(code_column(values), declared_categorical=False) == ()


def test_codes_that_were_declared_are_left_alone() -> None:
    """Who declared a column categorical knows that it holds digits."""
    assert check_column(code_column(["007", "008"]), declared_categorical=True) == ()
