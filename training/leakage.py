"""Columns that know the target too well to have been known before it: to be asked about before anything is learnt."""

from collections.abc import Sequence

import msgspec
import numpy as np

from training.coded_column import Tally

SURE_AUC = 0.98
SURE_INFORMATION_VALUE = 2.0
SEPARATING_AUC = 0.8


class Suspect(msgspec.Struct, frozen=True):
    """A column that may hold what is known only after the event, and why."""

    column: str
    reasons: tuple[str, ...]


def leakage_reasons(
    counted: Tally,
    values: Sequence[float] | Sequence[str],
    *,
    auc: float | None,
    missing_auc: float,
    information_value: float | None,
    identifier: bool,
) -> list[str]:
    """Return why a column is suspected, an empty list if it is not.

    `counted` are its rows and events by distinct value of `values`; `auc` is None for a column without an order.
    """
    reasons = []
    rows, events = counted.rows, counted.events
    used = np.flatnonzero(rows)
    if len(used) == 2 and all(events[at] in (0, rows[at]) for at in used):
        names = [values[at - 1] if at else None for at in used.tolist()]
        same = names == [0.0, 1.0] and events[used[0]] == 0
        reasons.append("equals the target" if same else "goes one to one with the target")
    if auc is not None and not 1.0 - SURE_AUC < auc < SURE_AUC:
        reasons.append(f"ranks the target by itself: AUC {auc:.3f}")
    if information_value is not None and information_value > SURE_INFORMATION_VALUE:
        reasons.append(f"information value {information_value:.2f}, above {SURE_INFORMATION_VALUE:g}")
    if max(missing_auc, 1.0 - missing_auc) >= SEPARATING_AUC:
        reasons.append(f"whether it is missing separates the target: AUC {missing_auc:.3f}")
    if identifier and auc is not None and max(auc, 1.0 - auc) >= SEPARATING_AUC:
        reasons.append(f"is like an identifier, and rises or falls with the target: AUC {auc:.3f}")
    return reasons
