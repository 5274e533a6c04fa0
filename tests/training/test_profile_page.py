import re

import numpy as np
import pytest

from tests.hostile import HOSTILE, outline
from training.data_profile import profile
from training.profile_page import profile_page, shown_share
from training.table import Numbers, Table, Texts


def every_kind() -> Table:
    """Return a table with a column of each kind, missing and infinite values, and a repeated row."""
    random = np.random.default_rng(5)
    event = random.random(300) < 0.3
    amount = np.where(random.random(300) < 0.2, np.nan, random.normal(size=300))
    amount[3] = np.inf
    columns: dict[str, Numbers | Texts] = {
        "amount": amount,
        "twice": 2.0 * amount,
        "id": np.arange(300.0),
        "at": np.arange(300.0) * 3600.0 + 1.7e9,
        "nothing": np.full(300, np.nan),
        "code": np.tile([1.0, 2.0, 3.0], 100),
        "leak": np.where(event, 1.0, 0.0),
        "word": [None if one < 0.1 else f"w{one * 30:.0f}" for one in random.random(300).tolist()],
        "card": [f"card {row}" for row in range(300)],
        "y": np.where(event, 1.0, 0.0),
    }
    return Table(columns, 300, frozenset({"at"})).where(np.append(0, np.arange(300)))


def test_the_page_shows_every_column() -> None:
    """A drawing and a line of each column, with the suspects, the findings, the pairs and the repeated row."""
    found = outline(profile_page(profile(every_kind(), "y"), "cases.parquet"))
    assert found.tags.count("svg") == 10
    for told in (
        *("Profile of cases.parquet", "301 rows of 10 columns", "equals the target", "goes with the times of 'at'"),
        *("2023-11-14 / 2023-11-21 / 2023-11-27", "about 2023-11-15"),
        *("values are infinite", "perhaps a category", "Spearman", "1 (as 0)", "95 %"),
    ):
        assert told in found.text, told


@pytest.mark.parametrize("target", [None, "y"])
def test_a_page_is_whole_with_and_without_a_target(target: str | None) -> None:
    """What there is no figure of is left out, and nothing is fetched."""
    document = profile_page(profile(every_kind(), target), "cases.parquet")
    found = outline(document)
    assert ("Target rate" in found.text) == (target is not None)
    assert "nan" not in found.text
    assert not re.search("https?:|src=", document)


def test_hostile_names_and_values_are_shown_and_not_obeyed() -> None:
    """Names of columns and files, categories, and values that a check tells of become text."""
    mixed: Texts = [*(str(row) for row in range(13)), HOSTILE]
    columns: dict[str, Numbers | Texts] = {
        HOSTILE: [HOSTILE] * 6 + ["b"] * 6 + [None] * 2,
        "mixed " + HOSTILE: mixed,
        "y" + HOSTILE: [HOSTILE, "no"] * 7,
    }
    found = outline(profile_page(profile(Table(columns, 14), "y" + HOSTILE, positive=HOSTILE), HOSTILE))
    assert not {"script", "img"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert found.text.count("<script>alert(1)</script>") >= 10


def test_each_of_a_few_values_has_a_bar() -> None:
    """Numbers of few values are drawn one by one over their whole range, with the rate of each; others in bins."""
    few = np.repeat([0.0, 1.0, 500.0], [200, 97, 3])
    columns: dict[str, Numbers | Texts] = {"few": few, "many": np.arange(300.0) / 7.0, "y": np.arange(300.0) % 2.0}
    document = profile_page(profile(Table(columns, 300), "y"), "cases.csv")
    drawn = {name: svg for svg, name in re.findall("<figure>(<svg.*?)<figcaption>(.*?):", document)}
    assert (drawn["few"].count("<rect"), drawn["few"].count("<circle")) == (3, 3)
    assert (drawn["many"].count("<rect"), drawn["many"].count("<circle")) == (24, 10)
    assert "few: 0 to 500;" in document


def test_a_table_without_one_number_has_a_page() -> None:
    """Texts alone, and columns of nothing, leave the sections of numbers out."""
    columns: dict[str, Numbers | Texts] = {
        "word": ["a", "b", None],
        "nothing": np.full(3, np.nan),
        "endless": np.full(3, np.inf),
    }
    found = outline(profile_page(profile(Table(columns, 3)), "words.csv"))
    assert found.tags.count("svg") == 3
    assert "Numbers" not in found.text


def test_a_share_never_looks_like_nothing_or_everything() -> None:
    """One row in a million is not 0 %."""
    assert [shown_share(one) for one in (0.0, 1e-6, 0.5, 1.0 - 1e-6, 1.0)] == ["0%", "<0.1%", "50%", ">99.9%", "100%"]
