import math
from typing import Any

import arch.data.sp500
import msgspec
import numpy as np
import pytest
from arch import arch_model
from hypothesis import given
from hypothesis import strategies as st
from market_alert_steps import RULES, bars
from steps import Events

from risk.market.alert_rules import BAR_CODES, AlertCode, AlertRules
from risk.market.market_alerts import MOST_SCORE, MarketAlerts, MarketReasons
from risk.market.market_reason_text import REASON_FEATURES, market_reason_text

Reason = tuple[int, AlertCode, float, float, float]


def plain(events: Events, rules: AlertRules) -> list[Reason]:
    """Return (index, code, value, usual value, score) of each reason, by the rules as they are told."""
    usual_variance: dict[str, float] = {}
    last: dict[tuple[str, str], tuple[int, float]] = {}
    disarmed: set[tuple[str, str]] = set()
    decay = 0.5 ** (1 / rules.regime_half_life_bars)
    found: list[Reason] = []
    for at, symbol in enumerate(events["symbol"]):
        row = {name: column[at] for name, column in events.items()}
        variance = float(row["variance_percent2"])
        slow = usual_variance.get(symbol) or variance
        deviation, usual = math.sqrt(variance), math.sqrt(slow)
        loss, allowed = float(row["loss_percent"]), float(row["value_at_risk_99_percent"])
        residual, missing = float(row["standardised_residual"]), float(row["missing_sequences"])
        rejected = float(row["model_rejected"])
        measures: dict[AlertCode, tuple[float, float, float]] = {
            "VALUE_AT_RISK_99_EXCEEDED": (loss, allowed, loss / max(allowed, 1e-9)),
            "RETURN_SHOCK": (residual, rules.shock_deviations, abs(residual) / rules.shock_deviations),
            "VOLATILITY_REGIME": (deviation, usual, deviation / usual / rules.regime_ratio if usual > 0 else 0.0),
            "MODEL_REJECTED": (rejected, 0.0, rejected),
            "SEQUENCE_GAP": (missing, 0.0, missing / rules.missing_sequences),
        }
        usual_variance[symbol] = decay * slow + (1 - decay) * variance
        here: list[Reason] = []
        for code, (value, usual_value, score) in measures.items():
            key, one = (symbol, code), min(score, MOST_SCORE)
            regime = code == "VOLATILITY_REGIME"
            if one < (rules.regime_rearm_ratio / rules.regime_ratio if regime else rules.rearm_share):
                disarmed.discard(key)
            if one < 1:
                continue
            before = last.get(key)
            cool = before is None or row["end_ns"] - before[0] >= rules.cool_down_ns
            if (key not in disarmed and cool) or (before is not None and one >= rules.escalation * before[1]):
                disarmed.add(key)
                last[key] = int(row["end_ns"]), one
                here.append((at, code, value, usual_value, one))
        found += sorted(here, key=lambda reason: -reason[4])
    return found


def rows(reasons: MarketReasons) -> list[Reason]:
    """Return the reasons row by row."""
    columns = (reasons.value.tolist(), reasons.usual_value.tolist(), reasons.score.tolist())
    return list(zip(reasons.index.tolist(), reasons.code, *columns, strict=True))


@given(st.integers(0, 2**32 - 1))
def test_alerts_are_those_of_a_plain_twin(seed: int) -> None:
    """Every reason, value and score is that of a slow twin in plain Python."""
    events = bars(np.random.default_rng(seed), 150)
    found, expected = rows(MarketAlerts(RULES).advance(**events)), plain(events, RULES)
    assert [one[:3] for one in found] == [one[:3] for one in expected]
    np.testing.assert_allclose([one[3:] for one in found], [one[3:] for one in expected], rtol=1e-12, atol=0)


def test_every_code_alerts() -> None:
    """The bars that alerts are compared on lead to every reason, and to alerts with several."""
    reasons = MarketAlerts(RULES).advance(**bars(np.random.default_rng(1), 2_000))
    assert set(reasons.code) == set(BAR_CODES)
    alerts = list(reasons.alerts())
    assert 0 < len(alerts) < len(reasons)
    assert [one.start for one in alerts[1:]] == [one.stop for one in alerts[:-1]]
    assert all(len(set(reasons.index[one])) == 1 and np.all(np.diff(reasons.score[one]) <= 0) for one in alerts)


def alerted(rules: AlertRules, **columns: list[Any]) -> list[tuple[int, AlertCode]]:
    """Return (index, code) for bars a second apart of one symbol, quiet but for the columns given."""
    n = len(next(iter(columns.values())))
    quiet: dict[str, Any] = {
        "end_ns": [1 + at for at in range(n)],
        "loss_percent": [0.0] * n,
        "value_at_risk_99_percent": [2.0] * n,
        "standardised_residual": [0.0] * n,
        "variance_percent2": [1.0] * n,
        "model_rejected": [False] * n,
        "missing_sequences": [0] * n,
    }
    events = {name: np.array(column) for name, column in (quiet | columns).items()}
    reasons = MarketAlerts(rules).advance(["X"] * n, **events)
    return list(zip(reasons.index.tolist(), reasons.code, strict=True))


def test_what_stays_bad_alerts_once() -> None:
    """A measure that stays beyond its threshold, or comes back before it was well below, is one event."""
    rules = AlertRules(cool_down_ns=0)
    losses = [2.0, 2.5, 1.9, 2.1, 1.0, 3.0, 0.9, 3.0]
    code = "VALUE_AT_RISK_99_EXCEEDED"
    assert alerted(rules, loss_percent=losses) == [(0, code), (7, code)]
    assert alerted(rules, model_rejected=[True, True, False, True]) == [(0, "MODEL_REJECTED"), (3, "MODEL_REJECTED")]


def test_what_comes_and_goes_waits_for_the_cool_down() -> None:
    """A second event within the cool-down is silent, and alerts at its end if it lasts."""
    rules, code = AlertRules(cool_down_ns=5), "RETURN_SHOCK"
    assert alerted(rules, standardised_residual=[-4.0, 0.0, 5.0, 0.0, 0.0, 0.0, 4.0]) == [(0, code), (6, code)]
    rejected = alerted(rules, model_rejected=[True, False, True, True, True, True, True])
    assert rejected == [(0, "MODEL_REJECTED"), (5, "MODEL_REJECTED")]


def test_a_fall_that_goes_on_alerts_again() -> None:
    """What is twice as bad as what was alerted alerts in spite of the cool-down, and what is less does not."""
    code = "VALUE_AT_RISK_99_EXCEEDED"
    assert alerted(AlertRules(), loss_percent=[2.0, 3.9, 4.0, 7.9, 8.0]) == [(0, code), (2, code), (4, code)]


def test_codes_cool_down_apart() -> None:
    """A shock does not silence another reason."""
    found = alerted(AlertRules(), standardised_residual=[5.0, 0.0], missing_sequences=[0, 1])
    assert found == [(0, "RETURN_SHOCK"), (1, "SEQUENCE_GAP")]


def test_what_is_not_known_alerts_for_nothing() -> None:
    """A bar without a value at risk, residual or variance, all NaN, does not alert, nor change what is usual."""
    nan = math.nan
    assert alerted(AlertRules(), loss_percent=[9.0], value_at_risk_99_percent=[nan]) == []
    assert alerted(AlertRules(), standardised_residual=[nan, 9.0]) == [(1, "RETURN_SHOCK")]
    assert alerted(AlertRules(), variance_percent2=[nan, 1.0, nan, 4.1]) == [(3, "VOLATILITY_REGIME")]


def test_the_regimes_of_the_s_and_p_500_are_those_of_its_history() -> None:
    """Twenty years of the S&P 500 give ten regimes and seven shocks, at the days that are remembered."""
    prices = arch.data.sp500.load()["Adj Close"]
    returns = 100 * np.diff(np.log(prices.to_numpy()))
    fitted = arch_model(returns, mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t").fit(disp="off")
    days = [f"{day:%Y-%m-%d}" for day in prices.index[1:]]
    n = len(returns)
    variance = np.asarray(fitted.conditional_volatility) ** 2
    reasons = MarketAlerts(AlertRules()).advance(
        ["SPX"] * n,
        end_ns=prices.index[1:].to_numpy().astype("datetime64[ns]").astype(np.int64),
        loss_percent=np.zeros(n),
        value_at_risk_99_percent=np.ones(n),
        standardised_residual=np.asarray(fitted.std_resid),
        variance_percent2=variance,
        model_rejected=np.zeros(n, dtype=bool),
        missing_sequences=np.zeros(n, dtype=np.int64),
    )
    at: dict[str, list[str]] = {}
    for index, code in zip(reasons.index.tolist(), reasons.code, strict=True):
        at.setdefault(code, []).append(days[index])
    assert len(at["VOLATILITY_REGIME"]) == 10
    assert {"2008-09-16", "2011-08-09", "2018-02-06"} <= set(at["VOLATILITY_REGIME"])
    assert len(at["RETURN_SHOCK"]) == 7
    assert "2007-02-27" in at["RETURN_SHOCK"]


@pytest.mark.parametrize("code", [*BAR_CODES, "STALE_FEED"])
def test_every_code_has_words(code: AlertCode) -> None:
    """Every reason names what it measures, and says in words what was found."""
    assert REASON_FEATURES[code]
    assert market_reason_text(code, 2.0, 1.0) not in ("", "None")


def test_rules_are_read_from_their_own_json() -> None:
    """Rules go through JSON unchanged, and a field that nobody knows is refused."""
    rules = AlertRules(shock_deviations=5.0)
    assert msgspec.json.decode(msgspec.json.encode(rules), type=AlertRules) == rules
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"shock":5.0}', type=AlertRules)
