"""Recipes: what a file says is what is read, and what cannot be used is named with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.history_recipe import read_history_recipe, recipe_plan
from training.recipe import (
    Impute,
    LogisticRegression,
    Network,
    Polynomial,
    RecipeError,
    Scale,
    Xgboost,
    line_of,
    read_recipe,
)

GOOD = """\
name = "credit"

[data]
path = "table.csv"
target = "bad"
ranges = { age = [18, 99] }

[[step]]
do = "impute"
columns = "numbers"
by = "median"

[[step]]
do = "scale"
columns = ["age"]
by = "robust"

[[model]]
kind = "network"
hidden = [8, 4]

[[model]]
kind = "logistic_regression"
"""


def written(folder: Path, text: str) -> Path:
    """Return the path of a recipe of that text."""
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_a_recipe_is_read_whole(tmp_path: Path) -> None:
    """Steps and models come in their order, with defaults for what is left out."""
    recipe = read_recipe(written(tmp_path, GOOD))
    assert recipe.step == (Impute("numbers", "median"), Scale(("age",), "robust"))
    assert recipe.model == (Network(hidden=(8, 4)), LogisticRegression())
    assert recipe.data.ranges == {"age": (18.0, 99.0)}
    assert (recipe.split.test_share, recipe.fit.calibrate, recipe.seed) == (0.2, None, 0)


@pytest.mark.parametrize("path", sorted(Path("examples").glob("*.toml")), ids=lambda path: path.name)
def test_every_example_can_be_read(path: Path) -> None:
    """The examples are recipes, and each tells in a comment what it is."""
    recipe = read_history_recipe(path) or read_recipe(path)
    assert recipe.model
    assert path.read_text().startswith("# ")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('by = "median"', 'by = "middle"', 11, "step 1, by: Invalid enum value 'middle'"),
        ('by = "robust"', "by = 3", 16, "step 2, by: Expected `str`, got `int`"),
        ('do = "scale"', 'do = "shrink"', 14, "step 2, do: Invalid value 'shrink'"),
        ('columns = ["age"]', 'colums = ["age"]', 15, "step 2, colums: Object contains unknown field"),
        ("hidden = [8, 4]", "hidden = [8, 0]", 20, "model 1, hidden 2: Expected `int` >= 1"),
        ("ranges = { age = [18, 99] }", "ranges = { age = [99, 18] }", 6, r"age = \[99.0, 18.0\] is empty"),
        ('target = "bad"\n', "", 3, "data: Object missing required field `target`"),
        ('name = "credit"', 'name = "Credit!"', 1, "name: Expected `str` matching"),
        ("[[step]]\ndo = ", "[fit]\nbalanced = true\n\n[[step]]\ndo = ", 9, "fit, balanced: Object contains unknown"),
        ("[[step]]\ndo = ", '[split]\nby = "time"\n\n[[step]]\ndo = ', 9, "by = 'time' needs column"),
        ("[[step]]\ndo = ", "[scorecard]\n\n[[step]]\ndo = ", 8, "points belong to a logistic regression"),
        (
            '[[model]]\nkind = "network"\nhidden = [8, 4]',
            '[fit]\nbalance = true\n\n[[model]]\nkind = "kernel_svm"',
            19,
            "fit, balance: model 1 has no weights",
        ),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    """The message has the file, the line, the table and the key, and what was expected."""
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(RecipeError, match=says) as refused:
        read_recipe(path)
    assert str(refused.value).startswith(f"{path}, line {line}: ")


HISTORY = """\
name = "cards"
features = ["amount", "customer_count_1d"]

[history]
path = "cards.parquet"
delay_days = 3
map = { customer_id = "CARD" }

[windows]
train_from = 2026-01-01
train_to = 2026-01-31
test_from = 2026-02-08
test_to = 2026-02-14

[[step]]
do = "polynomial"
columns = "all"

[[model]]
kind = "xgboost"
trees = 7
"""


def test_a_recipe_of_a_history_is_a_plan(tmp_path: Path) -> None:
    """Days, features, steps and models come as the options of the verb would give them."""
    recipe = read_history_recipe(written(tmp_path, HISTORY))
    assert recipe is not None
    plan = recipe_plan(recipe)
    assert (plan.windows.train_from, plan.windows.test_to, plan.windows.delay_days) == (20454, 20498, 3)
    assert plan.features == ("amount", "customer_count_1d")
    assert plan.models == (Xgboost(trees=7),)
    assert plan.steps == (Polynomial("all"),)
    assert read_history_recipe(written(tmp_path, GOOD)) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("2026-01-31", '"January"', 11, "windows, train_to: Invalid RFC3339"),
        ('"customer_count_1d"', '"height"', 2, "features: 'height' is none; choose all, handbook"),
        ("delay_days = 3", "delay = 3", 6, "history, delay: Object contains unknown field"),
        ("trees = 7", "trees = 7\n[[model]]\nkind = 'xgboost'", 22, "model 2: is xgboost again"),
    ],
)
def test_a_recipe_of_a_history_names_the_line_too(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    """What cannot be used is told as for tables."""
    path = written(tmp_path, HISTORY.replace(old, new, 1))
    with pytest.raises(RecipeError, match=says) as refused:
        read_history_recipe(path)
    assert str(refused.value).startswith(f"{path}, line {line}: ")


def test_a_scorecard_stands_on_weights_of_evidence_alone(tmp_path: Path) -> None:
    """Points belong to bins: a recipe of other steps has none."""
    text = GOOD[: GOOD.index("[[model]]")] + '[[model]]\nkind = "logistic_regression"\n[scorecard]\n'
    with pytest.raises(RecipeError, match="one step, weight_of_evidence on all columns"):
        read_recipe(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "says"), [("a = 1\nb = ?", "is no TOML: .*line 2"), ("\xff", "no TOML|cannot be read")]
)
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """A file of another kind is refused with the place where it stops being TOML."""
    with pytest.raises(RecipeError, match=says):
        read_recipe(written(tmp_path, text))


@given(keys=st.lists(st.sampled_from(["data", "step", "path", "by", 0, 1, 7]), max_size=4), text=st.text(max_size=200))
def test_a_line_is_found_in_any_text(keys: list[str | int], text: str) -> None:
    """Whatever the text and the keys, the line is one of the text's."""
    assert 1 <= line_of(text, tuple(keys)) <= max(1, len(text.splitlines()))
