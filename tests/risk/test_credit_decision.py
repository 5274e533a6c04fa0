import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from risk import credit_reasons
from risk.credit_decision import decide_applications
from risk.decision import APPROVE, OUTCOMES
from risk.permutation_explainer import PermutationExplainer
from risk.table_bundle import TableBundle
from risk.table_columns import Invalid, encode_row
from schemas.application import Application
from stream.bundle_files import read_table_bundle
from tests.small_table_bundle import application_messages, write_small_table_bundle

MESSAGES = application_messages(150, seed=12)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> TableBundle:
    """Give a bundle with a scorecard."""
    return read_table_bundle(write_small_table_bundle(tmp_path_factory.mktemp("bundles"), scorecard=True))


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> TableBundle:
    """Give a bundle without one."""
    return read_table_bundle(write_small_table_bundle(tmp_path_factory.mktemp("bundles"), scorecard=False))


def encoded(bundle: TableBundle) -> npt.NDArray[np.float64]:
    """Return applications as encoded rows."""
    rows = [
        encode_row(bundle.manifest.columns, msgspec.json.decode(value, type=Application).fields)
        for _, value in MESSAGES
    ]
    return np.array([row for row in rows if not isinstance(row, Invalid)])


def test_points_are_those_that_a_person_adds_up(card: TableBundle) -> None:
    """Each applicant's points are the sum over the characteristics of the bin that the value lies in."""
    assert card.scorecard is not None
    matrix = encoded(card)
    found = decide_applications(card, matrix)
    for at, row in enumerate(matrix.tolist()):
        total = 0
        for value, characteristic in zip(row, card.scorecard.characteristics, strict=True):
            bins = [
                one
                for one in characteristic.bins
                if (one.missing and np.isnan(value))
                or (
                    not one.missing
                    and (one.low is None or value > one.low)
                    and (one.high is None or value <= one.high)
                    and not np.isnan(value)
                )
            ]
            total += bins[0].points if bins else characteristic.neutral
        assert found.points_of(at) == total


def test_points_go_with_the_probability(card: TableBundle) -> None:
    """By the scale, log odds follow from the points within half a point for each characteristic."""
    assert card.scorecard is not None
    found = decide_applications(card, encoded(card))
    assert found.points is not None
    log_odds = np.log((1.0 - found.probability) / found.probability)
    by_scale = card.scorecard.offset + card.scorecard.factor * log_odds
    assert np.abs(found.points - by_scale).max() <= 0.5 * len(card.scorecard.characteristics)


def test_reasons_of_a_scorecard_are_the_points_lost(card: TableBundle) -> None:
    """At most four columns, those furthest from their best points first, the value as text; none of an approval."""
    assert card.scorecard is not None
    matrix = encoded(card)
    found = decide_applications(card, matrix)
    best = {one.column: max(bin.points for bin in one.bins) for one in card.scorecard.characteristics}
    assert set(found.outcome.tolist()) == {0, 1, 2}
    for at, reasons in enumerate(found.reasons):
        if found.outcome[at] == APPROVE:
            assert reasons == ()
            continue
        lost = [best[one.column] - (one.points or 0) for one in reasons]
        assert lost == sorted(lost, reverse=True)
        assert 0 < len(reasons) <= 4
        assert min(lost) > 0
        assert [one.best_points for one in reasons] == [best[one.column] for one in reasons]
        for one in reasons:
            raw = msgspec.json.decode(MESSAGES[at][1], type=Application).fields[one.column]
            assert one.value == ("missing" if raw is None else raw if isinstance(raw, str) else f"{raw:.12g}")
            assert (one.code, one.contribution, one.usual_value) == (one.column.upper(), None, None)


def test_reasons_of_another_model_are_what_raised_the_probability(trees: TableBundle) -> None:
    """They are the greatest of the contributions, which add up to the difference to the usual row's probability."""
    matrix = encoded(trees)
    usual = np.array(trees.manifest.usual_values)
    contributions = PermutationExplainer(trees.scorer).contributions(matrix, np.tile(usual, (len(matrix), 1)))
    found = decide_applications(trees, matrix)
    difference = found.probability - trees.scorer.score(usual[None])[0]
    np.testing.assert_allclose(contributions.sum(axis=1), difference, rtol=0, atol=1e-12)
    names = [column.name for column in trees.manifest.columns]
    for row, outcome, reasons in zip(contributions.tolist(), found.outcome, found.reasons, strict=True):
        raised = sorted((-value, name) for value, name in zip(row, names, strict=True) if value > 0)
        expected = [] if OUTCOMES[outcome] == "approve" else [(-value, name) for value, name in raised]
        assert [(one.contribution, one.column) for one in reasons] == expected
        assert all(one.points is None and one.best_points is None and one.usual_value for one in reasons)


def test_rows_explained_in_parts_have_the_same_reasons(trees: TableBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by explaining some rows at a time, which changes no bit."""
    matrix = encoded(trees)
    whole = decide_applications(trees, matrix).reasons
    monkeypatch.setattr(credit_reasons, "_EXPLAINED_ROWS", 70)
    assert decide_applications(trees, matrix).reasons == whole


def test_an_unknown_category_and_a_gap_are_named_as_such(card: TableBundle) -> None:
    """The value of a reason is never what a stranger wrote, but one of the bundle's categories, or a word for none."""
    fields = {"age": 19, "income": None, "home": "[castle]", "amount": 50_000}
    row = encode_row(card.manifest.columns, fields)
    assert not isinstance(row, Invalid)
    (reasons,) = decide_applications(card, np.array([row])).reasons
    values = {one.column: one.value for one in reasons}
    assert values == {"age": "19", "income": "missing", "home": "unknown", "amount": "50000"}


def test_a_loss_that_nobody_knows_is_none(card: TableBundle) -> None:
    """Expected loss is probability times loss given default times exposure; without an exposure there is none."""
    matrix = encoded(card)
    matrix[0, 3] = np.nan
    found = decide_applications(card, matrix)
    assert found.expected_loss_of(0) is None
    assert found.expected_loss_of(1) == found.probability[1] * 0.5 * matrix[1, 3]


def test_no_application_is_no_decision(card: TableBundle, trees: TableBundle) -> None:
    """A chunk without a usable application is decided on without a fault."""
    for bundle in (card, trees):
        assert decide_applications(bundle, np.empty((0, 4))).reasons == []
