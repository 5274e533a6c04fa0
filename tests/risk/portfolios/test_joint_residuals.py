from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.portfolios.correlation import correlations
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.joint_residuals import JointResiduals

MODEL = CorrelationModel(ewma_lambda=0.9, symbols=("t0", "t1"), news=0.1, decay=0.8, target=((1.0, 0.7), (0.7, 1.0)))

actions = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.sampled_from(["a", "b", "c", "d", "e", "t0"])),
        st.tuples(st.just("drop"), st.sampled_from(["a", "b", "c", "d", "e", "t0"])),
        st.tuples(st.just("move"), st.integers(0, 2**32 - 1)),
    ),
    max_size=60,
)


def fresh() -> JointResiduals:
    """Return an empty state of two trained symbols and room for three others."""
    return JointResiduals(MODEL, most_held=3, vectors=8)


def act(joint: JointResiduals, held: set[str], actions: Iterable[tuple[str, object]]) -> None:
    """Take symbols up, let them go and add bars, as long as there is room."""
    for what, value in actions:
        if what == "move":
            draw = np.random.default_rng(value)  # type: ignore[arg-type]  # a seed
            z = draw.standard_t(3, len(joint))
            z[draw.random(len(z)) < 0.3] = np.nan
            joint.add(z)
        elif what == "take" and value not in held and len(held - {"t0"}) < 3:
            joint.take_up(str(value))
            held.add(str(value))
        elif what == "drop" and value in held:
            joint.let_go(str(value))
            held.remove(str(value))


@given(actions, actions)
def test_correlations_stay_positive_semi_definite(
    before: list[tuple[str, object]], after: list[tuple[str, object]]
) -> None:
    """As symbols come and go and take each other's slots, also after a restore, no eigenvalue is below 0."""
    joint, held = fresh(), set[str]()
    act(joint, held, before)
    restored = fresh()
    restored.load(joint.dump().items())
    for symbol in held:
        restored.take_up(symbol)
    act(restored, set(held), after)
    act(joint, held, after)
    assert restored.dump() == joint.dump()
    assert restored.slot_of == joint.slot_of
    for products, count in ((joint.ewma, len(joint)), (joint.dcc, 2)):
        assert np.linalg.eigvalsh(correlations(products, np.arange(count)))[0] >= -1e-12
    slots = np.array(sorted(joint.slot_of.values()), dtype=np.int64)
    assert np.array_equal(restored.scenarios(slots), joint.scenarios(slots))


@given(actions, st.lists(st.integers(0, 60), max_size=5))
def test_what_changed_adds_up_to_the_state(actions: list[tuple[str, object]], cuts: list[int]) -> None:
    """The rows told as changed, whenever they are asked for, make the state."""
    joint, held = fresh(), set[str]()
    stored: dict[bytes, bytes] = {}
    for first, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(actions)], strict=True):
        act(joint, held, actions[first:end])
        stored.update(joint.take_changed())
        assert joint.take_changed() == []
    restored = fresh()
    restored.load(stored.items())
    assert restored.dump() == joint.dump()


def test_scenarios_begin_when_the_last_symbol_was_taken_up() -> None:
    """The joint residuals are the last ones, oldest first, with 0 for a symbol that rested and none where all did."""
    joint = fresh()
    nan = np.nan
    joint.add(np.array([1.0, 2.0]))
    joint.take_up("a")
    for row in ([3.0, nan, 4.0], [nan, 5.0, nan], [nan, nan, nan], [6.0, 7.0, 8.0]):
        joint.add(np.array(row))
    assert joint.scenarios(np.array([0, 1])).tolist() == [[1.0, 2.0], [3.0, 0.0], [0.0, 5.0], [6.0, 7.0]]
    assert joint.scenarios(np.array([2, 0])).tolist() == [[4.0, 3.0], [8.0, 6.0]]
    for at in range(20):
        joint.add(np.array([float(at), nan, nan]))
    assert joint.scenarios(np.array([0])).ravel().tolist() == [float(at) for at in range(12, 20)]


def test_a_slot_goes_to_another_only_when_it_must() -> None:
    """The symbol that was let go first makes room; a trained one never does; and without room an error is raised."""
    joint = fresh()
    assert [joint.take_up(symbol) for symbol in "abc"] == [2, 3, 4]
    joint.add(np.ones(5))
    joint.let_go("b")
    joint.add(np.ones(5))
    joint.let_go("a")
    assert joint.take_up("b") == 3
    joint.let_go("b")
    assert joint.ewma[2, 0] > 0.0
    before = dict(joint.take_changed())
    assert joint.take_up("d") == 2
    assert joint.ewma[2, :5].tolist() == [0.0, 0.0, 1.0, 0.0, 0.0]
    assert joint.symbols == ["t0", "t1", "d", "b", "c"]
    # The rows of later slots hold their products with this one: they are told as changed, and read back as 0.
    stored = {**before, **dict(joint.take_changed())}
    restored = fresh()
    restored.load(stored.items())
    assert restored.dump() == joint.dump()
    joint.take_up("e")
    with pytest.raises(ValueError, match=r"symbol='f': all 5 slots are held"):
        joint.take_up("f")
