"""Which closed bars of a symbol alert, and why: once an event, not once a bar.

Each measure is scored in units of its threshold. It alerts when it is armed, its score is 1 or more, and its last alert
is at least the cool-down ago; it is armed again below a lower level. What is so many times as bad as what was alerted
alerts in spite of both. All that alert at one bar are one alert with several reasons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.market.alert_rules import BAR_CODES, AlertCode, AlertRules

STATE_VERSION = 1
"""Goes up when the packed row or a rule changes."""

MOST_SCORE = 1000.0
"""No score is greater: a value at risk may be next to nothing."""

_VALUE_AT_RISK, _SHOCK, _REGIME, _REJECTED, _GAP = range(len(BAR_CODES))
_LEAST_ALLOWED_PERCENT = 1e-9

# By code: 1 if it has alerted and is not armed again; when it alerted last, 0 before; what score that was.
_ROW = np.dtype(
    [
        ("usual_variance", "<f8"),
        ("raised", "<i8", (len(BAR_CODES),)),
        ("alerted_ns", "<i8", (len(BAR_CODES),)),
        ("alerted_score", "<f8", (len(BAR_CODES),)),
    ]
)

_REASON = np.dtype([("index", "<i8"), ("code", "<i8"), ("value", "<f8"), ("usual_value", "<f8"), ("score", "<f8")])


@dataclass(frozen=True, slots=True)
class MarketReasons:
    """The reasons of all alerts, in the order of the bars, the worst of a bar first; every column has their length.

    `index` int64 is the bar's place in the batch: reasons of one bar are one alert. `value` and `usual_value` float64
    are, by code: the loss and the value at risk in percent; the standardised return and the deviations that alert; the
    forecast and the usual deviation of a bar's return in percent; 1 and 0 for a model; the count of numbers missing and
    0. `score` float64 is 1 or more, in units of the threshold.
    """

    index: NDArray[np.int64]
    code: list[AlertCode]
    value: NDArray[np.float64]
    usual_value: NDArray[np.float64]
    score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.code)

    def alerts(self) -> Iterator[slice]:
        """Yield the reasons of each alert, one slice a bar; the first has the alert's score."""
        first = np.flatnonzero(np.diff(self.index, prepend=-1)).tolist()
        for start, end in pairwise([*first, len(self)]):
            yield slice(start, end)


class MarketAlerts(KeyedStep):
    """What every symbol has alerted for, and its usual variance, advanced by closed bars.

    >>> step = MarketAlerts(AlertRules(cool_down_ns=5))
    >>> reasons = step.advance(
    ...     ["X"] * 4,
    ...     end_ns=np.array([10, 11, 12, 20]),
    ...     loss_percent=np.array([3.0, 2.5, 0.1, 2.6]),
    ...     value_at_risk_99_percent=np.full(4, 2.0),
    ...     standardised_residual=np.array([-4.4, -2.0, 0.0, -2.7]),
    ...     variance_percent2=np.ones(4),
    ...     model_rejected=np.zeros(4, dtype=bool),
    ...     missing_sequences=np.zeros(4, dtype=np.int64),
    ... )
    >>> [(int(reasons.index[one.start]), reasons.code[one]) for one in reasons.alerts()]
    [(0, ['VALUE_AT_RISK_99_EXCEEDED', 'RETURN_SHOCK']), (3, ['VALUE_AT_RISK_99_EXCEEDED'])]
    """

    def __init__(self, rules: AlertRules) -> None:
        self._rules = rules
        self._decay = 0.5 ** (1.0 / rules.regime_half_life_bars)
        # How far the score of each code has to fall; a model that is rejected is or is not.
        self._rearm = np.full(len(BAR_CODES), rules.rearm_share)
        self._rearm[_REGIME] = rules.regime_rearm_ratio / rules.regime_ratio
        self._rows = KeyedRows(_ROW)

    def advance(
        self,
        symbol: Sequence[str],
        end_ns: NDArray[np.int64],
        loss_percent: NDArray[np.float64],
        value_at_risk_99_percent: NDArray[np.float64],
        standardised_residual: NDArray[np.float64],
        variance_percent2: NDArray[np.float64],
        model_rejected: NDArray[np.bool_],
        missing_sequences: NDArray[np.int64],
    ) -> MarketReasons:
        """Take closed bars, each column of length n, in the order of the log; return why which of them alert.

        `end_ns` is in nanoseconds since the Unix epoch, more than 0. Loss and value at risk, the one that was in force
        for the bar, are positive for a loss, in percent of the price; `standardised_residual` is in units of the
        deviation forecast for the bar; `variance_percent2` is the forecast for the next bar. NaN stands for what is not
        known, and alerts for nothing.
        """
        rows = self._rows.rows(symbol)
        found = np.empty(len(BAR_CODES) * len(rows), dtype=_REASON)
        count = _advance(
            self._rows.table,
            rows,
            end_ns,
            loss_percent,
            value_at_risk_99_percent,
            standardised_residual,
            variance_percent2,
            model_rejected,
            missing_sequences,
            self._rearm,
            self._decay,
            self._rules.shock_deviations,
            self._rules.regime_ratio,
            self._rules.missing_sequences,
            self._rules.cool_down_ns,
            self._rules.escalation,
            found,
        )
        table = found[:count]
        table = table[np.lexsort((table["code"], -table["score"], table["index"]))]
        return MarketReasons(
            table["index"],
            [BAR_CODES[code] for code in table["code"].tolist()],
            table["value"],
            table["usual_value"],
            table["score"],
        )


@njit(cache=True)
def _advance(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    end_ns: NDArray[np.int64],
    loss_percent: NDArray[np.float64],
    value_at_risk_percent: NDArray[np.float64],
    standardised_residual: NDArray[np.float64],
    variance_percent2: NDArray[np.float64],
    model_rejected: NDArray[np.bool_],
    missing_sequences: NDArray[np.int64],
    rearm: NDArray[np.float64],
    decay: float,
    shock_deviations: float,
    regime_ratio: float,
    most_missing: int,
    cool_down_ns: int,
    escalation: float,
    found: NDArray[np.void],
) -> int:
    """Advance the table by closed bars and fill in the reasons for which they alert; return how many."""
    count = 0
    value, usual, score = np.empty(len(rearm)), np.empty(len(rearm)), np.empty(len(rearm))
    for at in range(len(rows)):
        row = table[rows[at]]
        variance = variance_percent2[at]
        if row["usual_variance"] == 0.0 and variance > 0.0:
            row["usual_variance"] = variance
        allowed = value_at_risk_percent[at]
        value[_VALUE_AT_RISK], usual[_VALUE_AT_RISK] = loss_percent[at], allowed
        # Not by max, which would take a value at risk that is NaN for the least.
        score[_VALUE_AT_RISK] = loss_percent[at] / (
            _LEAST_ALLOWED_PERCENT if allowed < _LEAST_ALLOWED_PERCENT else allowed
        )
        value[_SHOCK], usual[_SHOCK] = standardised_residual[at], shock_deviations
        score[_SHOCK] = abs(standardised_residual[at]) / shock_deviations
        value[_REGIME], usual[_REGIME] = np.sqrt(variance), np.sqrt(row["usual_variance"])
        score[_REGIME] = value[_REGIME] / usual[_REGIME] / regime_ratio if usual[_REGIME] > 0.0 else 0.0
        value[_REJECTED] = score[_REJECTED] = 1.0 if model_rejected[at] else 0.0
        value[_GAP], usual[_REJECTED], usual[_GAP] = missing_sequences[at], 0.0, 0.0
        score[_GAP] = missing_sequences[at] / most_missing
        if variance >= 0.0:
            row["usual_variance"] = decay * row["usual_variance"] + (1.0 - decay) * variance
        for code in range(len(rearm)):
            if np.isnan(score[code]):
                continue
            one = min(score[code], MOST_SCORE)
            if one < rearm[code]:
                row["raised"][code] = 0
            if one < 1.0:
                continue
            is_cool = row["alerted_ns"][code] == 0 or end_ns[at] - row["alerted_ns"][code] >= cool_down_ns
            is_worse = row["alerted_ns"][code] > 0 and one >= escalation * row["alerted_score"][code]
            if (row["raised"][code] == 0 and is_cool) or is_worse:
                row["raised"][code], row["alerted_ns"][code], row["alerted_score"][code] = 1, end_ns[at], one
                reason = found[count]
                count += 1
                reason["index"], reason["code"], reason["score"] = at, code, one
                reason["value"], reason["usual_value"] = value[code], usual[code]
    return count
