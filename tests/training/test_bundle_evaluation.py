from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from riskstream import main
from stream.bundle_files import read_bundle
from training.bundle_evaluation import EvaluationPlan, evaluate_bundle
from training.full_evaluation import Evaluation
from training.history import DAY_NS, HistoryError, read_history
from training.history_groups import read_groups
from training.recipe import LogisticRegression
from training.simulator import START_NS, simulate_transactions
from training.time_split import Windows
from training.train import FEATURE_SETS, Plan, Trained, train

FIRST_DAY = START_NS // DAY_NS
HISTORY = simulate_transactions(customers=300, merchants=50, days=60, seed=9)
WINDOWS = Windows(FIRST_DAY + 20, FIRST_DAY + 39, FIRST_DAY + 47, FIRST_DAY + 56, delay_days=7)
DAYS = [f"{np.datetime64(day, 'D')}" for day in (WINDOWS.test_from, WINDOWS.test_to)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Give a bundle that adapts, of the Handbook's features, trained on a simulated history."""
    plan = Plan(
        name="small",
        windows=WINDOWS,
        models=(LogisticRegression(),),
        features=FEATURE_SETS["handbook"],
        half_life_days=20.0,
    )
    return train(HISTORY, plan, root=tmp_path_factory.mktemp("bundles"), command="riskstream train")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the history as a file in another order, with a column of towns and one of ages."""
    rows = np.random.default_rng(1).permutation(len(HISTORY)).tolist()
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    town = ["Ulm" if int(one.encode()[-1]) % 3 else None for one in HISTORY.customer_id]
    table = pa.table(
        {
            "transaction_id": HISTORY.transaction_id,
            "customer_id": HISTORY.customer_id,
            "merchant_id": HISTORY.merchant_id,
            "amount": HISTORY.amount,
            "event_time": pa.array(HISTORY.event_time_ns),
            "fraud": HISTORY.fraud,
            "town": pa.array(town, pa.string()),
            "age": pa.array([None if at == 7 else at % 80 for at in range(len(HISTORY))], pa.int32()),
        }
    )
    pq.write_table(table.take(pa.array(rows)), path)
    return path


@pytest.fixture(scope="module")
def found(trained: Trained) -> Evaluation:
    """Give the bundle's evaluation, with folds and a learning curve."""
    plan = EvaluationPlan(
        WINDOWS,
        groups={"hour": [str(hour) for hour in (HISTORY.event_time_ns // (DAY_NS // 4) % 4).tolist()]},
        folds=2,
        with_learning_curve=True,
        replicates=20,
    )
    return evaluate_bundle(read_bundle(trained.folder), HISTORY, plan, command="riskstream evaluate")


def test_scores_are_those_that_training_told(trained: Trained, found: Evaluation) -> None:
    """The figures on the same test window are the manifest's: a bundle is evaluated as it is served."""
    told = trained.metrics["logistic_regression"]
    for name in ("auc", "average_precision", "card_precision_at_100"):
        assert found.measures[name].estimate == pytest.approx(told[name], abs=1e-12)
    assert (found.rows, found.train_rows) == (trained.test_rows, trained.train_rows)


def test_the_last_fold_and_the_whole_curve_are_the_test(found: Evaluation) -> None:
    """Fitted anew to the same windows, the kind of model ranks as the bundle does."""
    assert found.prequential is not None
    average = found.measures["average_precision"].estimate
    assert found.prequential.folds[-1].figures["average_precision"] == pytest.approx(average, abs=1e-9)
    assert found.learning_curve[-1].test == pytest.approx(average, abs=1e-9)
    assert sum(one.rows for one in found.fairness["hour"]) == found.rows


def test_groups_follow_their_transactions(file: Path) -> None:
    """Whatever the file's order, each transaction has its own value; missing ones are None; numbers become quarters."""
    history = read_history(file, {})
    assert history.transaction_id == HISTORY.transaction_id
    towns = read_groups(file, {}, "town", history)
    assert towns == ["Ulm" if int(one.encode()[-1]) % 3 else None for one in HISTORY.customer_id]
    ages = read_groups(file, {}, "age", history)
    given = [at % 80 for at in range(len(HISTORY))]
    low, middle, high = (f"{edge:.6g}" for edge in np.quantile(given[:7] + given[8:], [0.25, 0.5, 0.75]))
    labels = [f"up to {low}", f"above {low} up to {middle}", f"above {middle} up to {high}", f"above {high}"]
    bounds = [float(low), float(middle), float(high)]
    assert ages[7] is None
    assert ages[:7] + ages[8:] == [labels[sum(age > bound for bound in bounds)] for age in given[:7] + given[8:]]


@pytest.mark.parametrize(
    ("column", "says"), [("shoe", "--group shoe: .*no such column"), ("customer_id", "identifies nobody")]
)
def test_a_column_that_cannot_be_compared_is_refused(file: Path, column: str, says: str) -> None:
    """One that is not there, and one that would show who the customers are."""
    with pytest.raises(HistoryError, match=says):
        read_groups(file, {}, column, read_history(file, {}))


def test_the_verb_writes_page_card_and_figures(trained: Trained, file: Path, tmp_path: Path) -> None:
    """The three files are written and named, the table has intervals, and a second run gives the same bytes."""
    arguments = ["evaluate", str(trained.folder), "--history", str(file), "--group", "town", "--replicates", "100"]
    arguments += ["--test-from", DAYS[0], "--test-to", DAYS[1], "--out", str(tmp_path / "report")]
    ran = CliRunner().invoke(main, arguments)
    assert ran.exit_code == 0, ran.output
    assert "Average precision" in ran.output
    names = ["report.html", "model-card.md", "evaluation.json"]
    first = {name: (tmp_path / "report" / name).read_bytes() for name in names}
    assert all(name in ran.output for name in names)
    assert not any(HISTORY.customer_id[0].encode() in content for content in first.values())
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert first == {name: (tmp_path / "report" / name).read_bytes() for name in names}


@pytest.mark.parametrize(
    ("added", "says"),
    [
        (["--folds", "40"], "--folds 40"),
        (["--train-from", "1999-01-01", "--train-to", "1999-02-01"], "--train-from/--train-to"),
        (["--out", "{file}/below"], "--out"),
    ],
)
def test_what_cannot_be_evaluated_is_one_clear_line(
    trained: Trained, file: Path, tmp_path: Path, added: list[str], says: str
) -> None:
    """Status 2 and the option that is wrong."""
    arguments = ["evaluate", str(trained.folder), "--history", str(file), "--out", str(tmp_path / "report")]
    arguments += ["--test-from", DAYS[0], "--test-to", DAYS[1], "--replicates", "100"]
    ran = CliRunner().invoke(main, arguments + [one.format(file=file) for one in added])
    assert ran.exit_code == 2
    assert says in ran.output
