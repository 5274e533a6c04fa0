"""The journal of a search keeps every whole line, whenever its writer died."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.recipe import Data, LogisticRegression, Recipe
from training.search_journal import Journal, JournalError, journal_path, table_bytes
from training.table import Table

FOLDS = st.lists(st.floats(0.0, 10.0), min_size=1, max_size=4)


@given(entries=st.lists(st.tuples(st.text(max_size=9), FOLDS), max_size=6))
def test_what_is_added_is_found_again(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, list[float]]]
) -> None:
    """A journal that is read again has the last figures of each plan and share, bit for bit, and nothing else."""
    path = tmp_path_factory.mktemp("journal") / "new" / "search.jsonl"
    journal = Journal(path)
    for plan, folds in entries:
        journal.add(plan, "1/3", folds)
    expected = {plan: tuple(folds) for plan, folds in entries}
    for one in (journal, Journal(path)):
        assert {plan: one.get(plan, "1/3") for plan in expected} == expected
        assert one.get("else", "1") is None
        assert all(one.get(plan, "1") is None for plan in expected)


def test_a_torn_line_is_dropped_wherever_it_was_torn(tmp_path: Path) -> None:
    """Cut off at any byte, the file has the lines that were whole, and the next one begins on a line of its own."""
    path = tmp_path / "search.jsonl"
    journal = Journal(path)
    journal.add("a", "1", [0.25])
    first = len(path.read_bytes())
    journal.add("b", "1", [0.5])
    content = path.read_bytes()
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        resumed = Journal(path)
        assert (resumed.get("a", "1") is not None, resumed.get("b", "1") is not None) == (
            length >= first,
            length == len(content),
        )
        resumed.add("c", "1", [0.75])
        assert Journal(path).get("c", "1") == (0.75,)


@pytest.mark.parametrize("line", ["{}", "nonsense", '{"plan":"a","share":"1","folds":[]}', ""])
def test_another_line_that_is_no_evaluation_is_refused(tmp_path: Path, line: str) -> None:
    """A whole line of something else is no accident of writing: it is named, with the remedy."""
    path = tmp_path / "search.jsonl"
    Journal(path).add("a", "1", [0.25])
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(JournalError, match=r"search.jsonl, line 2: is no evaluation: .*; delete the file"):
        Journal(path)


def test_the_name_tells_recipe_and_table(tmp_path: Path) -> None:
    """Another seed, number, text, gap, column name or order of columns has another file; the same has the same."""
    recipe = Recipe("test", Data("x.csv", "y"), (LogisticRegression(inverse_penalty=float("inf")),))
    columns: dict[str, object] = {"x": np.array([1.0, np.nan]), "t": ["a", None]}

    def name(recipe: Recipe, columns: dict[str, object]) -> str:
        return journal_path(tmp_path, recipe, table_bytes(Table(columns, 2))).name  # type: ignore[arg-type] # built for the test

    names = [
        name(recipe, columns),
        name(msgspec.structs.replace(recipe, seed=1), columns),
        name(msgspec.structs.replace(recipe, model=(LogisticRegression(),)), columns),
        name(recipe, columns | {"x": np.array([1.0, 2.0])}),
        name(recipe, columns | {"t": ["a", "None"]}),
        name(recipe, {"z": columns["x"], "t": columns["t"]}),
        name(recipe, {"t": columns["t"], "x": columns["x"]}),
    ]
    assert len(set(names)) == len(names)
    assert names[0] == name(recipe, dict(columns))
    assert len(names[0]) == len("search-") + 12 + len(".jsonl")
