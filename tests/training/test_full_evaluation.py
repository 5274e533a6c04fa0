from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from risk.decision import Thresholds
from risk.manifest import Costs
from tests.hostile import HOSTILE, outline
from training.card_precision import card_precision_at_k
from training.evaluation_files import write_evaluation
from training.full_evaluation import Columns, Evaluation, Subject, evaluate_in_full
from training.history import DAY_NS
from training.learning_curve import LearningPoint
from training.model_card import model_card, plain
from training.report_page import report_page
from training.row_costs import row_costs

COSTS = Costs(review=5.0, declined_genuine=25.0, missed_fraud_fraction=1.0)
THRESHOLDS = Thresholds(review=0.5, decline=0.8)
SUBJECT = Subject(
    name="cards",
    version="0123456789ab",
    model="logistic_regression",
    form="a graph",
    ranks=False,
    positive="fraud",
    drawn="customers",
    features=("a", "b"),
    costs_in="EUR",
    limits=("Nothing is known of tomorrow.",),
    trained_on="the days before",
    tested_on="the days after",
    train_command="riskstream train",
    evaluate_command="riskstream evaluate",
    library_versions={"numpy": "2"},
)


def scorer(features: np.ndarray) -> np.ndarray:
    """Return a score that the first feature alone decides."""
    return np.asarray(1.0 / (1.0 + np.exp(-2.0 * np.nan_to_num(features[:, 0]) + 1.5)))


def columns(rows: int = 3000, **changes: object) -> Columns:
    """Return columns of customers over five days, some features missing."""
    random = np.random.default_rng(8)
    features = random.normal(size=(2 * rows, 2))
    features[::17, 1] = np.nan
    target = random.random(2 * rows) < scorer(features) * 0.5
    customer = [f"customer-{at // 4}" for at in range(rows)]
    made = Columns(
        score=scorer(features[:rows]),
        target=target[:rows],
        feature_names=("a", "b"),
        features=features[:rows],
        train_score=scorer(features[rows:]),
        train_target=target[rows:],
        train_features=features[rows:],
        amount=random.gamma(2.0, 50.0, rows),
        entity=customer,
        event_time_ns=random.integers(0, 5 * DAY_NS, rows),
        groups={"town": random.choice(["Ulm", "Bonn"], rows).tolist()},
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def evaluated(given: Columns, subject: Subject = SUBJECT) -> Evaluation:
    """Return the evaluation of columns, with few replicates."""
    return evaluate_in_full(
        given,
        scorer,
        subject,
        THRESHOLDS,
        COSTS,
        seed=3,
        replicates=40,
        learning_curve=[LearningPoint(0.5, 100, 9, 0.6, 0.4), LearningPoint(1.0, 200, 20, 0.5, 0.45)],
    )


@pytest.fixture(scope="module")
def found() -> Evaluation:
    """Give the evaluation of the columns."""
    return evaluated(columns())


def test_every_measure_is_its_peers(found: Evaluation) -> None:
    """The estimates are scikit-learn's, the Handbook's and those counted by hand, each within its bounds."""
    given = columns()
    assert given.amount is not None
    assert given.entity is not None
    assert given.event_time_ns is not None
    flagged = given.score >= 0.5
    cost = row_costs(given.score, given.target, given.amount, THRESHOLDS, COSTS)
    area = roc_auc_score(given.target, given.score)
    estimates = {name: one.estimate for name, one in found.measures.items()}
    assert 0.0 < estimates.pop("ks") < 1.0
    assert 0.0 < estimates.pop("calibration_error") < 1.0
    assert estimates == pytest.approx(
        {
            "auc": area,
            "gini": 2 * area - 1,
            "average_precision": average_precision_score(given.target, given.score),
            "card_precision_at_100": card_precision_at_k(given.score, given.target, given.entity, given.event_time_ns),
            "brier": brier_score_loss(given.target, given.score),
            "base_rate": given.target.mean(),
            "flagged_rate": flagged.mean(),
            "precision": given.target[flagged].mean(),
            "recall": flagged[given.target].mean(),
            "cost_per_1000": 1000 * cost.mean(),
            "savings": 1 - cost.sum() / given.amount[given.target].sum(),
        }
    )
    for name in ("auc", "average_precision", "recall", "cost_per_1000"):
        assert found.measures[name].low < found.measures[name].estimate < found.measures[name].high
    assert (found.rows, found.targets, found.entities) == (3000, given.target.sum(), 750)


def test_bounds_are_of_drawn_customers(found: Evaluation) -> None:
    """The interval of AUC is that of scikit-learn's figures of the drawn customers' rows."""
    given = columns()
    assert given.entity is not None
    customer = np.unique(given.entity, return_inverse=True)[1]
    random = np.random.default_rng(3)
    areas = []
    for _ in range(40):
        weight = np.bincount(random.integers(750, size=750), minlength=750)[customer]
        areas.append(roc_auc_score(given.target, given.score, sample_weight=weight))
    bounds = found.measures["auc"]
    assert (bounds.low, bounds.high) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])))


def test_the_feature_that_decides_is_told(found: Evaluation) -> None:
    """Importance, drift and groups are of these columns."""
    assert [one.feature for one in found.importance] == ["a", "b"]
    assert found.importance[1].drop == 0.0
    assert {one.feature for one in found.drift} == {"a", "b"}
    assert max(one.psi for one in found.drift) < 0.1
    assert {one.group for one in found.fairness["town"]} == {"Ulm", "Bonn"}
    given = columns()
    for one in found.fairness["town"]:
        flagged = given.score[np.array(given.groups["town"]) == one.group] >= THRESHOLDS.review
        assert one.measures["flagged_rate"].estimate == pytest.approx(flagged.mean())


def test_a_table_without_customers_amounts_and_times_is_evaluated_too() -> None:
    """What needs them is left out, rows are drawn singly, and page and card can be written."""
    subject = msgspec.structs.replace(SUBJECT, positive="default", drawn="rows")
    bare = evaluated(columns(600, amount=None, entity=None, event_time_ns=None, groups={}), subject)
    assert not {"cost_per_1000", "savings", "card_precision_at_100"} & set(bare.measures)
    assert {"auc", "average_precision", "brier"} <= set(bare.measures)
    assert bare.entities is None
    assert bare.costs is None
    assert "600 rows" in outline(report_page(bare)).text
    assert "nothing is known of fairness" in model_card(bare)


def test_rows_of_one_class_are_refused() -> None:
    """Without a target there is nothing to measure, and the message says so."""
    with pytest.raises(ValueError, match=r"0 targets in 600 test rows: both classes"):
        evaluated(columns(600, target=np.zeros(600, dtype=np.bool_)))


def test_nobody_can_be_told_from_the_evaluation(found: Evaluation) -> None:
    """No customer's name is in the page, the card or the figures."""
    for text in (report_page(found), model_card(found), msgspec.json.encode(found).decode()):
        assert "customer-" not in text


def test_figures_can_be_read_back(found: Evaluation) -> None:
    """The JSON holds numbers alone, none of them NaN, and decodes to the same evaluation."""
    encoded = msgspec.json.encode(found)
    assert b"NaN" not in encoded
    assert msgspec.json.decode(encoded, type=Evaluation) == found


def test_two_runs_give_identical_bytes(found: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Page, card and figures are functions of columns and seed."""
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    written = write_evaluation(found, first)
    write_evaluation(evaluated(columns()), second)
    assert {path.name for path in written} == {"report.html", "model-card.md", "evaluation.json"}
    for path in written:
        assert path.read_bytes() == (second / path.name).read_bytes()


def hostile(groups: Mapping[str, Sequence[str | None]]) -> Evaluation:
    """Return an evaluation in which every name is hostile."""
    subject = msgspec.structs.replace(
        SUBJECT,
        name=HOSTILE,
        model=HOSTILE,
        positive=HOSTILE,
        drawn=HOSTILE,
        features=(HOSTILE, "b"),
        form=HOSTILE,
        costs_in=HOSTILE,
        limits=(HOSTILE,),
        trained_on=HOSTILE,
        tested_on=HOSTILE,
        train_command=HOSTILE,
        evaluate_command=f"```\n{HOSTILE}",
        library_versions={HOSTILE: HOSTILE},
    )
    random = np.random.default_rng(9)
    worse = columns(feature_names=(HOSTILE, "b"), groups=groups)
    # Scores that are wrong wherever the first feature is high make a failing slice that carries its name.
    target = np.where(worse.features[:, 0] > 0.8, random.random(3000) < 0.02, worse.target)
    return evaluated(replace(worse, target=target), subject)


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    """Columns, groups and commands that look like markup become none, in the page or in the card."""
    found = hostile({HOSTILE: [HOSTILE, None, "c"] * 1000})
    assert found.slices
    parsed = outline(report_page(found))
    assert not {"script", "img", "link", "iframe", "object"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert parsed.text.count(HOSTILE) > 10
    card = model_card(found)
    # Within a fence all is shown as it is; nothing of it is outside, and the longer fence holds the shorter.
    assert f"\n```sh\n{HOSTILE}\n```\n" in card
    assert f"\n````sh\n```\n{HOSTILE}\n````\n" in card
    outside = card.replace(f"```sh\n{HOSTILE}\n```", "").replace(f"````sh\n```\n{HOSTILE}\n````", "")
    assert "<" not in outside
    assert "script" in outside


def test_markdown_shows_a_text_as_it_is() -> None:
    """What Markdown would obey is escaped, and a text stays on its line and in its cell."""
    assert plain("# a\n# b") == "\\# a # b"
    assert plain("x|y `z` [w](v) <u>") == "x\\|y \\`z\\` \\[w\\](v) &lt;u&gt;"
    assert plain("a & b") == "a &amp; b"


def test_the_page_has_every_part(found: Evaluation) -> None:
    """Each section is there, with its drawing, and the card's sections are those of its source."""
    parsed = outline(report_page(found))
    for heading in ("Summary", "Ranking", "Calibration", "Learning curve", "Features", "Drift", "Fairness by town"):
        assert heading in parsed.text
    assert parsed.tags.count("svg") == 8
    card = model_card(found)
    for heading in ("Model details", "Intended use", "Data", "Metrics", "Fairness", "Limits", "How to reproduce"):
        assert f"\n## {heading}\n" in card
