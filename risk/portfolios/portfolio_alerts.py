"""Alerts on portfolios: a loss beyond the value at risk, and bonds that would lose too much when rates move."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from risk.portfolios.bond_valuation import BondValuation
from risk.portfolios.portfolio_book import Forecast
from risk.rates.bond import Bond
from schemas.reason import Reason

MOST_REASONS = 5

LEAST_ALLOWED_PERCENT = 1e-4
"""A value at risk below this counts as this, so that a hedge without any risk has a score."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an alert says. `score` is in units of what is allowed; the contributions add up to `score - usual_score`."""

    score: float
    usual_score: float
    contributions: dict[str, float]
    features: dict[str, float]
    reasons: tuple[Reason, ...]


def loss_finding(
    symbols: Sequence[str], losses_percent: Sequence[float], forecast: Forecast, value_at_risk_percent: float
) -> Finding:
    """Return what to say of a portfolio's loss, given the loss through each symbol in percent of its gross exposure.

    A symbol contributes what it lost beyond its share of the 99 % value at risk that was in force. The shares are those
    of the portfolio's deviation (`risk.portfolios.portfolio_value_at_risk.marginal_deviations`).

    >>> forecast = Forecast("normal", 100.0, (2.0,), (2.5,), (0.75, 0.25))
    >>> finding = loss_finding(["A", "B"], [2.5, 1.0], forecast, 2.0)
    >>> finding.score, finding.contributions, finding.reasons[0].text
    (1.75, {'A': 0.5, 'B': 0.25}, 'A lost 2.5 % of the exposure; its share of the 99 % value at risk was 1.5 %')
    """
    allowed = max(value_at_risk_percent, LEAST_ALLOWED_PERCENT)
    usual = [share * allowed for share in forecast.shares]
    contributions = {
        symbol: (loss - part) / allowed for symbol, loss, part in zip(symbols, losses_percent, usual, strict=True)
    }
    reasons = [
        Reason(
            code="PORTFOLIO_VALUE_AT_RISK_99_EXCEEDED",
            feature=symbols[at],
            value=losses_percent[at],
            usual_value=usual[at],
            contribution=contributions[symbols[at]],
            text=f"{symbols[at]} lost {losses_percent[at]:,.3g} % of the exposure; its share of the 99 % value at risk"
            f" was {usual[at]:,.3g} %",
        )
        for at in _greatest(list(contributions.values()))
    ]
    return Finding(
        score=sum(losses_percent) / allowed,
        usual_score=1.0 if any(forecast.shares) else 0.0,
        contributions=contributions,
        features=dict(zip(symbols, losses_percent, strict=True)),
        reasons=tuple(reasons),
    )


def interest_rate_finding(bonds: Sequence[Bond], valuation: BondValuation, limit_percent: float) -> Finding:
    """Return what to say of bonds whose worst loss is to be at most `limit_percent` of their gross value.

    A bond contributes what it loses in the scenario that is worst for all of them.
    """
    percents = valuation.bond_losses_percent.tolist()
    names = [bond_name(bond) for bond in bonds]
    contributions = {name: percent / limit_percent for name, percent in zip(names, percents, strict=True)}
    reasons = [
        Reason(
            code="INTEREST_RATE_LOSS_LIMIT_EXCEEDED",
            feature=names[at],
            value=percents[at],
            usual_value=0.0,
            contribution=contributions[names[at]],
            text=f"{names[at]} would lose {percents[at]:,.3g} % of the bonds' gross value in the scenario"
            f" {valuation.worst}; all may lose {limit_percent:g} %",
        )
        for at in _greatest(list(contributions.values()))
    ]
    score = valuation.figures.worst_loss_percent / limit_percent
    features = dict(zip(names, percents, strict=True))
    return Finding(score, 0.0, contributions, features, tuple(reasons))


def bond_name(bond: Bond) -> str:
    """Return what people call a bond.

    >>> bond_name(Bond("EUR", 1_893_456_000_000_000_000, 2.5, 1, 100.0))
    'EUR 2.5 % 2030-01-01 x1'
    """
    day = np.datetime_as_string(np.datetime64(bond.maturity_ns, "ns"), unit="D")
    return f"{bond.currency} {bond.coupon_percent:g} % {day} x{bond.frequency}"


def _greatest(parts: Sequence[float]) -> list[int]:
    """Return the places of the greatest parts above 0, the greatest first and equal ones in their order."""
    order = sorted((at for at, part in enumerate(parts) if part > 0.0), key=lambda at: (-parts[at], at))
    return order[:MOST_REASONS]
