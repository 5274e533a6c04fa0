"""The explanation of an alert as a person reads it in a terminal."""

from collections.abc import Mapping

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from risk.bundle import Bundle
from risk.counterfactual import CounterfactualError, LowerAmount, UsualFeatures, counterfactual
from risk.explanation import ADDITIVITY_TOLERANCE
from schemas.alert import Alert
from stream.alert_text import alert_text

_BAR_WIDTH = 12


def explanation_text(alert: Alert, usual: Mapping[str, float], notes: tuple[str, ...]) -> Group:
    """Return the alert, a table of all features by falling weight, whether they add up, and notes, a line each.

    `usual` gives usual values by feature; of a feature that is not in it none is shown.
    """
    table = Table("feature", "value", "usual", "contribution", "", box=SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for column in table.columns[1:4]:
        column.justify = "right"
    greatest = max((abs(one) for one in alert.contributions.values()), default=0.0)
    for feature, contribution in sorted(alert.contributions.items(), key=lambda item: -abs(item[1])):
        style = "red" if contribution > 0.0 else "green"
        table.add_row(
            Text(feature),
            f"{alert.features[feature]:,.4g}",
            f"{usual[feature]:,.4g}" if feature in usual else "",
            Text(f"{contribution:+.4f}", style=style if contribution else "dim"),
            Text(_bar(contribution, greatest), style=style),
        )
    parts: list[RenderableType] = [alert_text(alert), table, _sum_text(alert)]
    return Group(*parts, *(Text(note) for note in notes))


def explained_by(bundle: Bundle, alert: Alert) -> Group:
    """Return the explanation of a transaction's alert, which came of the bundle, and what would have been none."""
    manifest = bundle.manifest
    raw = np.array([alert.features[name] for name in manifest.features])
    usual = dict(zip(manifest.features, bundle.usual_rows.of(raw[None]).raw[0].tolist(), strict=True))
    notes = []
    try:
        found = counterfactual(bundle, raw, alert.score)
        notes.append(counterfactual_text(found, manifest.thresholds.review, manifest.currency))
    except CounterfactualError as error:
        notes.append(f"What would not have been an alert cannot be told: {error}")
    if manifest.normaliser.half_life_days is not None:
        notes.append("The bundle's normaliser adapts; other amounts are scored by the statistics of its training")
    return explanation_text(alert, usual, tuple(notes))


def _bar(contribution: float, greatest: float) -> str:
    return "\N{FULL BLOCK}" * round(_BAR_WIDTH * abs(contribution) / greatest) if greatest else ""


def _sum_text(alert: Alert) -> Text:
    total = sum(alert.contributions.values())
    missed = alert.score - alert.usual_score - total
    said = f"usual score {alert.usual_score:.4f} {total:+.4f} of contributions = score {alert.score:.4f}"
    if abs(missed) <= ADDITIVITY_TOLERANCE:
        return Text(f"{said}, within {abs(missed):.0e}")
    return Text(f"{said} does not hold: {missed:+.6f} is not explained", style="bold red")


def counterfactual_text(found: LowerAmount | UsualFeatures | None, threshold: float, currency: str) -> str:
    """Return what would not have been an alert, in one sentence.

    >>> counterfactual_text(LowerAmount(amount=370.0, reduction=42.0, score=0.41234), 0.5, "EUR")
    '42.00 EUR lower, at 370.00 EUR, would not have been an alert: score 0.4123, reviewed from 0.5000'
    >>> counterfactual_text(UsualFeatures(("is_night", "amount"), 0.3), 0.5, "EUR")
    'No lower amount alone helps; with is_night, amount as usual it would not have been an alert: score 0.3000,
    reviewed from 0.5000'
    >>> counterfactual_text(None, 0.0, "EUR")
    'No lower amount helps, and with every feature as usual it would have been an alert too'
    """
    match found:
        case LowerAmount(amount=amount, reduction=reduction, score=score):
            what = f"{reduction:,.2f} {currency} lower, at {amount:,.2f} {currency}, would not have been an alert"
        case UsualFeatures(features=features, score=score):
            names = ", ".join(features)
            what = f"No lower amount alone helps; with {names} as usual it would not have been an alert"
        case None:
            return "No lower amount helps, and with every feature as usual it would have been an alert too"
    return f"{what}: score {score:.4f}, reviewed from {threshold:.4f}"
