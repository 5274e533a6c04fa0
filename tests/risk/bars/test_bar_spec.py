import msgspec
import pytest

from risk.bars.bar_spec import (
    BarSpecification,
    BarSpecifications,
    OutlierRule,
    SessionHours,
    TickBars,
    TimeBars,
    VolumeBars,
    rules_table,
)

HOUR_NS = 3_600_000_000_000
FULL = BarSpecification(
    closes=TimeBars(60),
    prices="trades",
    hours=SessionHours(open_ns=22 * HOUR_NS, length_ns=24 * HOUR_NS, weekdays=(0, 6)),
    pause_ns=3_600,
    stale_after_ns=30,
    sample_ns=20,
    outliers=OutlierRule(deviations=8.0, floor_percent=0.5, decay=0.9),
)


@pytest.mark.parametrize("closes", [TimeBars(60), TickBars(100), VolumeBars(1e6)])
def test_specifications_go_through_json_unchanged(closes: TimeBars | TickBars | VolumeBars) -> None:
    """What a bundle holds is what was specified, whatever closes the bars."""
    specifications = BarSpecifications({"*": BarSpecification(closes=closes), "SPY": FULL})
    assert msgspec.json.decode(msgspec.json.encode(specifications), type=BarSpecifications) == specifications


def test_the_compiled_rules_are_those_specified() -> None:
    """Every rule is told to the compiled loops, and what does not apply is 0."""
    (full, bare) = rules_table([FULL, BarSpecification(closes=VolumeBars(5.0))])
    assert full.item() == (0, 60, 0, 0.0, 2, True, 22 * HOUR_NS, 24 * HOUR_NS, 65, 3_600, 30, 20, True, 8.0, 0.5, 0.9)
    assert bare.item() == (2, 0, 0, 5.0, 0, False, 0, 0, 0, 0, 0, 0, False, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"symbols":{}}', 'lack "\\*"'),
        ('{"symbols":{"*":{"closes":{"type":"time","length_ns":0}}}}', "Expected `int` >= 1"),
        ('{"symbols":{"*":{"closes":{"type":"tick","ticks":0}}}}', "Expected `int` >= 1"),
        ('{"symbols":{"*":{"closes":{"type":"dollar"}}}}', "Invalid value 'dollar'"),
        ('{"symbols":{"*":{"closes":{"type":"time","length_ns":9},"pause_ns":8}}}', "pause_ns 8 is shorter"),
        (
            '{"symbols":{"*":{"closes":{"type":"tick","ticks":1},"hours":{"open_ns":0,"length_ns":1,"weekdays":[]}}}}',
            "name",
        ),
        ('{"symbols":{"*":{"closes":{"type":"tick","ticks":1},"stale":1}}}', "unknown field `stale`"),
    ],
)
def test_what_makes_no_sense_is_refused(content: str, told: str) -> None:
    """A specification that cannot be meant is refused, and what is wrong with it named."""
    with pytest.raises(msgspec.ValidationError, match=told):
        msgspec.json.decode(content, type=BarSpecifications)
