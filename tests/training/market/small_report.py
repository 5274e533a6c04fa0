"""A market report made of draws, for tests of what is made of one."""

from dataclasses import replace

import numpy as np
from scipy import stats

from training.market.report import Candidate, ForecastSkill, MarketReport, ModelQuantiles, RiskColumns, SetAside
from training.market.report_back_tests import back_tests

DAY_NS = 86_400_000_000_000
START_NS = 1_167_609_600_000_000_000
"""2007-01-01."""


def small_report(bars: int = 600, name: str = "ACME") -> MarketReport:
    """Return a report of normal draws of constant variance, with every optional part, whose texts hold `name`."""
    random = np.random.default_rng(5)
    returns = random.standard_normal(bars)
    loss = -100.0 * np.expm1(returns / 100.0)
    probability = np.linspace(0.001, 0.999, 200)
    levels = []
    for level in (0.95, 0.99):
        tail = float(stats.norm.ppf(level))
        value_at_risk, shortfall = np.full(bars, tail), np.full(bars, float(stats.norm.pdf(tail)) / (1.0 - level))
        levels.append(RiskColumns(level, value_at_risk, shortfall, loss > value_at_risk))
    report = MarketReport(
        symbol=name,
        source=f"{name}.csv",
        bar="one day",
        bars_per_year=252.0,
        end_ns=START_NS + DAY_NS * np.arange(bars),
        close=100.0 * np.exp(np.cumsum(returns) / 100.0),
        log_return_percent=returns,
        loss_percent=loss,
        variance_percent2=np.ones(bars),
        z=returns,
        model=f"normal {name}",
        volatility_model=f"constant {name}",
        expected=ModelQuantiles(f"normal {name}", probability, np.asarray(stats.norm.ppf(probability))),
        levels=tuple(levels),
        candidates=(Candidate(f"one {name}", 0.01, 2.3, 0.03, 0.97, 0.96), Candidate("two", 0.02, 2.0, 0.04, 0.5, 0.4)),
        skills=(ForecastSkill(f"walker {name}", 1, 500, 1.01, 1.02, 0.49, 0.3),),
        skill_verdicts=(f"1 bar ahead: Nothing beats the random walk here, says {name}.",),
        set_aside=SetAside(f"2008 {name}", START_NS + 365 * DAY_NS, START_NS + 731 * DAY_NS),
        notes=(f"A note of {name}.",),
        command=f"riskstream market report {name}",
    )
    return replace(report, back_tests=tuple(test for one in levels for test in back_tests(loss, one)))
