"""A search uses the rows to train on alone, in order of time, and gives the same bundle however it was broken off."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from risk.bundle import MANIFEST_FILE
from training import recipe as plans
from training.plan_search import SearchError, SearchProgress
from training.recipe import Data, Fitting, Recipe, Search, SplitPlan
from training.recipe_console import train_recipes
from training.search_journal import Entry, Journal
from training.search_space import candidates, plan_text
from training.successive_halving import rungs
from training.table import Table
from training.table_data import table_data
from training.table_search import known_rows, search_table
from training.table_split import table_split
from training.table_train import TrainedTable, train_table

ROWS = 1_200
DELAY = 60.0


@pytest.fixture(scope="module")
def table() -> Table:
    """Give rows that came one after the other, shuffled, their event told by three numbers and noise."""
    random = np.random.default_rng(3)
    time = random.permutation(ROWS).astype(np.float64)
    columns = {f"x{at}": random.normal(size=ROWS) for at in range(3)}
    risk = columns["x0"] + columns["x1"] ** 2 + random.normal(size=ROWS)
    return Table({"time": time, **columns, "event": (risk > 1.5).astype(np.float64)}, ROWS)


def recipe(**more: Any) -> Recipe:
    """Return a recipe that searches two models in order of time."""
    given: dict[str, Any] = {
        "name": "test",
        "data": Data("x.csv", "event", drop=("time",)),
        "model": (plans.LogisticRegression(), plans.Xgboost(trees=10)),
        "step": (plans.Scale("all", "zscore"),),
        "split": SplitPlan("time", "time", 0.25),
        "search": Search(trials=6, delay=DELAY),
    }
    return Recipe(**given | more)


def entries(folder: Path) -> list[Entry]:
    """Return the lines of the only journal in a folder."""
    (path,) = folder.glob("search-*.jsonl")
    return [msgspec.json.decode(line, type=Entry) for line in path.read_bytes().splitlines()]


def contents(trained: TrainedTable) -> dict[str, bytes]:
    """Return the files of a bundle."""
    return {path.name: path.read_bytes() for path in trained.folder.iterdir()}


@given(
    time=st.lists(st.integers(0, 40), min_size=2, max_size=30),
    cut=st.integers(1, 29),
    delay=st.one_of(st.just(0.0), st.floats(0.5, 20.0)),
)
def test_a_delay_leaves_out_what_was_not_known(time: list[int], cut: int, delay: float) -> None:
    """Kept is exactly each row whose event time and delay are over when the first row of the fold comes."""
    order = np.sort(np.array(time, dtype=np.float64))
    cut = min(cut, len(order) - 1)
    fit, validation = np.arange(cut), np.arange(cut, len(order))
    first = min(order[row] for row in validation)
    expected = [row for row in fit if delay == 0.0 or order[row] + delay <= first]
    assert known_rows(fit, validation, order, delay=delay).tolist() == expected


@pytest.mark.parametrize(
    ("measure", "peer"),
    [("average_precision", average_precision_score), ("auc", roc_auc_score), ("loss", log_loss)],
)
def test_evaluations_are_those_of_scikit_learn(table: Table, tmp_path: Path, measure: Any, peer: Any) -> None:
    """Each fold's figure is the peer's: its pipeline, splits in time, the rows within the delay taken out by hand."""
    plan = recipe(model=(plans.LogisticRegression(),), search=Search(trials=4, folds=4, delay=DELAY, measure=measure))
    train_table(plan, table, root=tmp_path, command="test")
    columns = {name: np.asarray(values) for name, values in table.columns.items()}
    rows = np.argsort(columns["time"])[: ROWS * 3 // 4]
    matrix = np.column_stack([columns["x0"], columns["x1"], columns["x2"]])[rows]
    target, time = columns["event"][rows], columns["time"][rows]
    found = entries(tmp_path / "test")
    assert [one.share for one in found] == ["1/3"] * 4 + ["1"] * 2
    for one in found:
        penalty = float(one.plan.partition("=")[2].rstrip(")"))
        expected = []
        for before, fold in TimeSeriesSplit(4).split(matrix):
            known = [row for row in before if time[row] <= time[fold[0]] - DELAY]
            known = known[-int(np.ceil(len(known) / (3 if one.share == "1/3" else 1))) :]
            peers = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, tol=1e-8, max_iter=10_000))
            peers.fit(matrix[known], target[known])
            expected.append(peer(target[fold], peers.predict_proba(matrix[fold])[:, 1]))
        np.testing.assert_allclose(one.folds, expected, rtol=1e-9)


@pytest.mark.parametrize("measure", ["average_precision", "auc", "loss"])
def test_the_best_of_the_last_rung_is_bundled(table: Table, tmp_path: Path, measure: Any) -> None:
    """The winner has the best mean of those on all rows, the least for the loss; the manifest tells it."""
    plan = recipe(search=Search(trials=6, measure=measure))
    trained = train_table(plan, table, root=tmp_path, command="test")
    for at, model in enumerate(plan.model):
        texts = {plan_text(one) for one in candidates(model, 6, seed=plan.seed)}
        last = [one for one in entries(tmp_path / "test") if one.share == "1" and one.plan in texts]
        assert len(last) == 2
        best = (min if measure == "loss" else max)(last, key=lambda one: float(np.mean(one.folds)))
        assert trained.notes[at] == f"search: 6 trials, best {best.plan}"
    assert msgspec.json.decode((trained.folder / MANIFEST_FILE).read_bytes())["notes"] == list(trained.notes)


@pytest.mark.parametrize("split", [SplitPlan("time", "time", 0.25), SplitPlan()], ids=["time", "random"])
def test_rows_to_test_on_have_no_part(table: Table, tmp_path: Path, split: SplitPlan) -> None:
    """Whatever the test rows hold, the search evaluates the same figures to the bit."""
    plan = recipe(split=split, search=Search(trials=4))
    data = table_data(table, plan.data)
    order = np.asarray(table.columns["time"])
    by = order if split.by == "time" else None
    train_rows, test_rows = table_split(data.target, by, test_share=split.test_share, seed=plan.seed)
    spoilt = {name: np.array(values) for name, values in table.columns.items()}
    for name in ("x0", "x1", "x2"):
        spoilt[name][test_rows] = 1e6
    for name, one in (("a", table), ("b", Table(spoilt, ROWS))):
        train_table(plan, one, root=tmp_path / name, command="test")
    assert entries(tmp_path / "a" / "test") == entries(tmp_path / "b" / "test")
    assert len(train_rows) + len(test_rows) == ROWS


def test_two_runs_are_one_bundle(table: Table, tmp_path: Path) -> None:
    """Without a budget the same recipe and table give the same bytes, journal included; a second run takes it all."""
    plan = recipe(model=(plans.RandomForest(trees=8), plans.Network((4,), epochs=1)), search=Search(trials=2, folds=2))
    first, second, again = (train_table(plan, table, root=tmp_path / name, command="test") for name in ("a", "b", "a"))
    assert first.folder.name == second.folder.name == again.folder.name
    assert contents(first) == contents(second)
    assert entries(tmp_path / "a" / "test") == entries(tmp_path / "b" / "test")
    assert [one.search.taken for one in (first, second, again) if one.search is not None] == [0, 0, 4]


@pytest.mark.parametrize("finished", [1, 5, 11, 16])
def test_a_search_that_was_broken_off_goes_on(table: Table, tmp_path: Path, finished: int) -> None:
    """Ended at any evaluation and run again, no evaluation is made twice, and the bundle is that of one run."""

    def interrupt(progress: SearchProgress) -> None:
        if progress.done == finished:
            raise KeyboardInterrupt

    whole = train_table(recipe(), table, root=tmp_path / "whole", command="test")
    with pytest.raises(KeyboardInterrupt):
        train_table(recipe(), table, root=tmp_path / "part", command="test", on_search=interrupt)
    assert len(entries(tmp_path / "part" / "test")) == finished
    resumed = train_table(recipe(), table, root=tmp_path / "part", command="test")
    assert resumed.search is not None
    assert resumed.search.taken == finished
    assert contents(resumed) == contents(whole)
    assert entries(tmp_path / "part" / "test") == entries(tmp_path / "whole" / "test")


def test_without_time_the_recipes_own_plans_are_used(table: Table, tmp_path: Path) -> None:
    """A budget of nothing evaluates nothing, and the model is that of the recipe without a search."""
    own = train_table(recipe(search=None), table, root=tmp_path / "own", command="test")
    none = train_table(recipe(), table, root=tmp_path / "none", command="test", before=lambda share: False)
    assert not list((tmp_path / "none" / "test").glob("search-*"))
    assert contents(none)["model.onnx"] == contents(own)["model.onnx"]
    assert none.search is not None
    assert none.search.stopped
    assert none.search.models == recipe().model
    assert none.notes[0].startswith("search: 6 trials, the budget ended after 0 of 8 evaluations, best logistic_")


def test_each_model_has_its_part_of_the_time(table: Table, tmp_path: Path) -> None:
    """The first of two models is searched until half of the budget has passed, the second until all of it."""
    asked: list[float] = []

    def before(share: float) -> bool:
        asked.append(share)
        return len(asked) < 10 * share

    plan = recipe()
    data = table_data(table, plan.data)
    assert plan.search is not None
    journal = Journal(tmp_path / "search.jsonl")
    found = search_table(plan, plan.search, data, np.asarray(table.columns["time"]), journal, before=before)
    assert asked == [0.5] * 5 + [1.0] * 5
    assert [note.split(", ")[1] for note in found.notes] == ["the budget ended after 4 of 8 evaluations"] * 2


def test_progress_counts_to_the_total(table: Table, tmp_path: Path) -> None:
    """Every evaluation is told once, with the best of its rung, which never gets worse within one."""
    told: list[SearchProgress] = []
    train_table(recipe(), table, root=tmp_path, command="test", on_search=told.append)
    assert [one.done for one in told] == list(range(1, told[0].total + 1))
    assert told[0].total == 2 * sum(count for _, count in rungs(6))
    for one, later in pairwise(told):
        if (one.model, one.share) == (later.model, later.share):
            assert later.best >= one.best


@pytest.mark.parametrize(
    ("search", "more", "says"),
    [
        (Search(delay=5_000.0), {}, r"search\.delay: 5000 leaves no row to fit on before fold 1 of 3"),
        (Search(folds=50), {}, r"search\.folds: fold \d+ of 50 has 0 events"),
        (Search(folds=20, trials=12), {"model": (plans.LinearSvm(),)}, "cannot be fitted to .* rows, 1/9 of those"),
        (Search(folds=3, trials=12), {"fit": Fitting(calibrate="platt", calibration_share=0.99)}, "cannot be fitted"),
    ],
)
def test_folds_that_cannot_be_learnt_from_are_refused(
    table: Table, tmp_path: Path, search: Search, more: dict[str, Any], says: str
) -> None:
    """The message has the key, the value, the fold and what to change."""
    rare = Table(
        dict(table.columns) | {"event": (np.asarray(table.columns["time"]) % 23 == 0).astype(np.float64)}, ROWS
    )
    with pytest.raises(SearchError, match=says):
        train_table(recipe(search=search, **more), rare, root=tmp_path, command="test")


RECIPE = """\
name = "told"
[data]
path = "x.csv"
target = "event"
drop = ["time"]
[split]
by = "time"
column = "time"
[search]
trials = 4
delay = 60
[[model]]
kind = "logistic_regression"
"""


@pytest.fixture
def written(table: Table, tmp_path: Path) -> Path:
    """Give the path of a recipe beside its table."""
    names = list(table.columns)
    lines = [",".join(map(str, row)) for row in zip(*(table.columns[name] for name in names), strict=True)]
    (tmp_path / "x.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    path = tmp_path / "told.toml"
    path.write_text(RECIPE)
    return path


def test_the_console_tells_what_was_taken(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run says how many evaluations it took from which file, one without time that it used the best so far."""
    out = written.parent / "bundles"
    assert train_recipes([written], out, budget_minutes=0.0)
    assert "the budget ended the search: the best plan so far is used" in capsys.readouterr().out
    assert train_recipes([written], out)
    assert "taken from" not in capsys.readouterr().out
    assert train_recipes([written], out)
    (journal,) = (out / "told").glob("search-*.jsonl")
    assert f"6 evaluations taken from {journal}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("delay = 60", "delay = 9000", "line 11: search.delay: 9000 leaves no row"),
        ("trials = 4", "folds = 2000", "line 10: search, folds: Expected `int` <= 50"),
        ('by = "time"\ncolumn = "time"', 'by = "random"', "line 10: search, delay: rows at random have no time"),
        ("[search]\ntrials = 4\ndelay = 60", "", "has no [search] for --budget to end; add one"),
    ],
)
def test_the_console_names_the_line(
    written: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    """What a search cannot use is told in one line, with that of the recipe."""
    written.write_text(RECIPE.replace(old, new))
    assert not train_recipes([written], written.parent, budget_minutes=1.0)
    told = capsys.readouterr().err
    assert f"{written}" in told
    assert says in told
