from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from typer.testing import CliRunner

from risk.table_bundle import TableBundle
from riskstream import main
from stream.bundle_files import read_table_bundle
from tests.small_table_bundle import small_loans
from training.full_evaluation import Evaluation
from training.model_card import model_card
from training.recipe import LinearDiscriminant, Recipe, Search, SplitPlan, read_recipe
from training.recipe_split import recipe_split
from training.report_page import report_page
from training.scored_rows import score_file
from training.table import Table, load_table
from training.table_data import DataError
from training.table_evaluation import TableEvaluationPlan, evaluate_table_bundle
from training.table_train import train_table
from training.unlabelled import RANKS

RECIPE = """
name = "loans"

[data]
path = "loans.csv"
target = "default"
drop = ["sex"]
ranges = { age = [18, 100] }
amount = "amount"

[[step]]
do = "weight_of_evidence"
columns = "all"

[[model]]
kind = "logistic_regression"
"""
UNLABELLED = """
name = "unlabelled"
[data]
path = "loans.csv"
target = "default"
drop = ["sex", "home"]
[[step]]
do = "impute"
columns = "numbers"
by = "median"
[[model]]
kind = "isolation_forest"
trees = 20
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of loans as a file, with a column of sexes that the recipe beside it drops."""
    folder = tmp_path_factory.mktemp("loans")
    loans = small_loans(1200)
    columns = dict(loans.columns) | {"sex": ["f" if at % 3 else "m" for at in range(loans.rows)]}
    lines = [",".join(columns)]
    for row in zip(*columns.values(), strict=True):
        lines.append(",".join("" if one is None or one != one else str(one) for one in row))
    (folder / "loans.csv").write_text("\n".join(lines) + "\n")
    (folder / "loans.toml").write_text(RECIPE)
    (folder / "unlabelled.toml").write_text(UNLABELLED)
    return folder


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    """Give the recipe."""
    return read_recipe(folder / "loans.toml")


@pytest.fixture(scope="module")
def table(folder: Path) -> Table:
    """Give the loans."""
    return load_table(folder / "loans.csv")


@pytest.fixture(scope="module")
def bundle(folder: Path, recipe: Recipe, table: Table) -> TableBundle:
    """Give the recipe's bundle."""
    return read_table_bundle(train_table(recipe, table, root=folder, command="riskstream train loans.toml").folder)


def evaluated(bundle: TableBundle, recipe: Recipe, table: Table, *groups: str, curve: bool = False) -> Evaluation:
    """Return the evaluation, with few replicates."""
    plan = TableEvaluationPlan(groups, with_learning_curve=curve, replicates=20)
    return evaluate_table_bundle(bundle, recipe, table, plan, command="riskstream evaluate")


@pytest.fixture(scope="module")
def found(bundle: TableBundle, recipe: Recipe, table: Table) -> Evaluation:
    """Give the bundle's evaluation, by a column that it does not know and by one that it does."""
    return evaluated(bundle, recipe, table, "sex", "age", curve=True)


def test_figures_are_those_of_the_rows_as_served(
    folder: Path, bundle: TableBundle, recipe: Recipe, table: Table, found: Evaluation
) -> None:
    """What training told of its test rows comes out again, and is that of the file scored row by row."""
    told = bundle.manifest.metrics["logistic_regression"]
    for name in ("auc", "average_precision", "brier", "calibration_error"):
        assert found.measures[name].estimate == pytest.approx(told[name], abs=1e-12)
    served = np.array([one.probability for one in score_file(bundle, folder / "loans.csv")])
    test = recipe_split(recipe, table).test
    target = np.array(table.columns["default"])[test] == 1.0
    assert found.measures["average_precision"].estimate == pytest.approx(average_precision_score(target, served[test]))
    assert (found.rows, found.targets, found.train_rows) == (240, target.sum(), 960)
    assert found.costs == bundle.manifest.costs


def test_groups_follow_their_rows(
    folder: Path, bundle: TableBundle, recipe: Recipe, table: Table, found: Evaluation
) -> None:
    """Rows keep the value that the file gives them, in a column that was dropped too; many numbers become quarters."""
    served = np.array([one.probability for one in score_file(bundle, folder / "loans.csv")])
    test = recipe_split(recipe, table).test
    sexes = np.array(table.columns["sex"])[test]
    for one in found.fairness["sex"]:
        assert one.rows == (sexes == one.group).sum()
        flagged = served[test][sexes == one.group] >= bundle.manifest.thresholds.review
        assert one.measures["flagged_rate"].estimate == pytest.approx(flagged.mean())
    assert {one.group for one in found.fairness["sex"]} == {"f", "m"}
    assert sum(one.rows for one in found.fairness["age"]) == found.rows
    assert any(one.group.startswith("above ") for one in found.fairness["age"])


def test_rows_that_are_left_out_are_in_no_group(recipe: Recipe, table: Table, tmp_path: Path) -> None:
    """Where the recipe leaves rows out, the others still have their own values."""
    fewer = msgspec.structs.replace(recipe, data=msgspec.structs.replace(recipe.data, missing="drop"))
    bundle = read_table_bundle(train_table(fewer, table, root=tmp_path, command="test").folder)
    groups = {one.group: one.rows for one in evaluated(bundle, fewer, table, "sex").fairness["sex"]}
    parts = recipe_split(fewer, table)
    home, income = table.columns["home"], table.columns["income"]
    assert isinstance(income, np.ndarray)
    kept = np.flatnonzero(~np.isnan(income) & np.array([one is not None for one in home]))
    sexes = np.array(table.columns["sex"])[kept[parts.test]]
    assert groups == {name: (sexes == name).sum() for name in ("f", "m")}


def test_the_whole_curve_is_the_bundle(found: Evaluation) -> None:
    """Fitted anew to all training rows, steps and model rank as the bundle does."""
    last = found.learning_curve[-1]
    assert (last.fraction, last.rows) == (1.0, found.train_rows)
    assert last.test == pytest.approx(found.measures["average_precision"].estimate, abs=1e-4)


def test_a_curve_without_the_bundles_own_model_says_so(bundle: TableBundle, recipe: Recipe, table: Table) -> None:
    """What a search found is not in the recipe, which is told; a model that is not there cannot be fitted."""
    searched = msgspec.structs.replace(recipe, search=Search())
    told = "not those that its search found"
    assert told in model_card(evaluated(bundle, searched, table, curve=True))
    assert told not in model_card(evaluated(bundle, searched, table))
    other = msgspec.structs.replace(recipe, model=(LinearDiscriminant(),))
    with pytest.raises(DataError, match="--learning-curve: the recipe has no model logistic_regression"):
        evaluated(bundle, other, table, curve=True)


def test_a_split_in_time_is_told(recipe: Recipe, table: Table, tmp_path: Path) -> None:
    """The last rows are the test, and what the page says of drift is not that it is chance."""
    timed = msgspec.structs.replace(recipe, split=SplitPlan("time", "age", 0.25))
    bundle = read_table_bundle(train_table(timed, table, root=tmp_path, command="test").folder)
    found = evaluated(bundle, timed, table)
    assert (found.subject.trained_on, found.subject.tested_on) == (
        "rows of loans.csv, the first by age",
        "the last 25% of the rows",
    )
    assert found.drift[0].feature == "age"
    assert found.drift[0].psi > 1.0
    assert not any("at random" in one for one in found.subject.limits)


def test_the_target_is_named_by_the_recipe(found: Evaluation) -> None:
    """Page and card tell of the default that the recipe names and of the amount's unit, and nowhere of a fraud."""
    for text in (report_page(found), model_card(found)):
        assert "default = 1" in text
        assert "fraud" not in text.lower()
        assert "probabilities: the model learnt" not in text
    assert "Costs are in units of amount" in report_page(found)


def test_scores_without_targets_are_said_to_be_ranks(folder: Path, table: Table, tmp_path: Path) -> None:
    """Page and card say so of a model that saw no target, unless its scores were calibrated to one."""
    plain = read_recipe(folder / "unlabelled.toml")
    calibrated = msgspec.structs.replace(plain, fit=msgspec.structs.replace(plain.fit, calibrate="platt"))
    for recipe, ranks in ((plain, True), (calibrated, False)):
        bundle = read_table_bundle(train_table(recipe, table, root=tmp_path, command="test").folder)
        found = evaluated(bundle, recipe, table)
        assert found.subject.ranks is ranks
        assert (RANKS in report_page(found)) is ranks
        assert (RANKS in model_card(found)) is ranks


@pytest.mark.parametrize(
    ("data", "more", "says"),
    [
        (
            {"target": "sex", "positive": "m", "drop": ("default",)},
            {},
            r"data\.target = 'sex': the bundle's is 'default'",
        ),
        ({"drop": ("sex", "home")}, {}, "column 'home': the bundle scores by it"),
        ({"drop": ()}, {}, "column 'sex': the recipe has it"),
        ({"ranges": {"age": (18.0, 99.0)}}, {}, "column 'age': has another kind, other categories or another range"),
        ({"missing": "drop"}, {}, "not those that the bundle was tested on"),
        ({}, {"seed": 1}, "not those that the bundle was tested on"),
    ],
)
def test_another_recipe_is_refused(
    bundle: TableBundle, recipe: Recipe, table: Table, data: dict[str, Any], more: dict[str, Any], says: str
) -> None:
    """Of other columns, another target or another split: rows that it learnt from would be tested on."""
    other = msgspec.structs.replace(recipe, data=msgspec.structs.replace(recipe.data, **data), **more)
    with pytest.raises(DataError, match=says):
        evaluated(bundle, other, table)


def test_columns_in_another_order_are_refused(bundle: TableBundle, recipe: Recipe, table: Table) -> None:
    """The bundle's graph takes them by their places."""
    turned = replace(table, columns={name: table.columns[name] for name in reversed(list(table.columns))})
    with pytest.raises(DataError, match="are in another order than the bundle's"):
        evaluated(bundle, recipe, turned)


def test_the_verb_writes_page_card_and_figures(folder: Path, bundle: TableBundle, tmp_path: Path) -> None:
    """The three files are written and named, and a second run gives the same bytes."""
    arguments = ["evaluate", str(folder / "loans" / bundle.version), "--recipe", str(folder / "loans.toml")]
    arguments += ["--group", "sex", "--replicates", "100", "--out", str(tmp_path / "report")]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    assert "Average precision" in ran.output
    names = ["report.html", "model-card.md", "evaluation.json"]
    first = {name: (tmp_path / "report" / name).read_bytes() for name in names}
    assert all(name in ran.output for name in names)
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert first == {name: (tmp_path / "report" / name).read_bytes() for name in names}


@pytest.mark.parametrize(
    ("added", "says"),
    [
        (["--recipe", "{folder}/none.toml"], "none.toml"),
        (["--recipe", "{folder}/unlabelled.toml"], "column 'age': has another kind"),
        (["--recipe", "{folder}/loans.toml", "--group", "shoe"], "--group shoe: is no column"),
        (["--recipe", "{folder}/loans.toml", "--group", "default"], "--group default: is the target"),
        (["--recipe", "{folder}/loans.toml", "--folds", "3"], "--folds: is for a history"),
        (["--recipe", "{folder}/loans.toml", "--out", "{folder}/loans.csv/below"], "--out"),
    ],
)
def test_what_cannot_be_evaluated_is_one_clear_line(
    folder: Path, bundle: TableBundle, tmp_path: Path, added: list[str], says: str
) -> None:
    """Status 2 and what is wrong."""
    arguments = ["evaluate", str(folder / "loans" / bundle.version), "--out", str(tmp_path / "report")]
    ran = CliRunner().invoke(main, arguments + [one.format(folder=folder) for one in added])
    assert ran.exit_code == 2
    assert says in ran.output
    assert ran.output.count("\n") == 1
