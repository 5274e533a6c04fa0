"""A portfolio's bonds of one currency on its curve: sensitivities, and what they lose in Basel's six shocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.rates.bond import Bond, cash_flows
from risk.rates.discount import discount_factors
from risk.rates.irrbb import SCENARIOS, SHOCK_SIZES, economic_value_losses
from risk.rates.key_rates import KEY_TENORS_YEARS
from risk.rates.rate_sensitivity import (
    dv01,
    effective_convexity,
    effective_duration,
    key_rate_durations,
    key_rate_dv01,
    present_value,
)
from schemas.currency import CurrencyCode
from schemas.portfolio_risk import InterestRateRisk

_LEAST_VALUE = 1e-100
"""Below this, numbers are too small to divide by: there is no duration, and no share."""


class Curve(msgspec.Struct, frozen=True, array_like=True):
    """The last curve of a currency: its time, and its nodes as `risk.rates.discount` has them, as float64 bytes."""

    curve_ns: int
    tenors_years: bytes
    zero_percent: bytes

    def nodes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the tenors in years and the zero rates in percent, float64[T] each."""
        return np.frombuffer(self.tenors_years, dtype="<f8"), np.frombuffer(self.zero_percent, dtype="<f8")


@dataclass(frozen=True, slots=True)
class BondValuation:
    """The figures; the name of the worst scenario; and what each bond, float64[B], loses in it.

    Losses are in percent of the gross value, all 0 without one.
    """

    figures: InterestRateRisk
    worst: str
    bond_losses_percent: NDArray[np.float64]


def value_bonds(currency: CurrencyCode, bonds: Sequence[Bond], curve: Curve, as_of_ns: int) -> BondValuation:
    """Return what bonds of a currency are worth on its curve at a time, and what they lose when it moves.

    Values are dirty. Bonds that have matured count for nothing.

    >>> curve = Curve(0, np.array([1.0]).tobytes(), np.array([0.0]).tobytes())
    >>> found = value_bonds("USD", [Bond("USD", 4 * 31_557_600 * 10**9, 0.0, 0, 100.0)], curve, 0)
    >>> found.worst, round(found.figures.worst_loss_percent, 4), round(found.figures.dv01, 6)
    ('parallel_up', 7.6884, 0.04)
    """
    nodes = curve.nodes()
    flows = [cash_flows(bond, as_of_ns) for bond in bonds]
    times = np.concatenate([np.empty(0), *(times for times, _ in flows)])
    amounts = np.concatenate([np.empty(0), *(amounts for _, amounts in flows)])
    ends = np.cumsum([len(times) for times, _ in flows]).tolist()
    spans = list(zip([0, *ends[:-1]], ends, strict=True)) if ends else []
    values = amounts * discount_factors(*nodes, times)
    gross = float(sum(abs(float(np.sum(values[first:end]))) for first, end in spans))
    losses, bond_percents, worst, worst_percent = {}, np.zeros(len(bonds)), "", 0.0
    sizes = SHOCK_SIZES.get(currency)
    if sizes is not None:
        found = economic_value_losses(*nodes, times, amounts, sizes)
        losses = dict(zip(SCENARIOS, found.tolist(), strict=True))
        at = int(np.argmax(found))
        worst = SCENARIOS[at]
        if gross > _LEAST_VALUE:
            worst_percent = 100.0 * max(float(found[at]), 0.0) / gross
            lost = [economic_value_losses(*nodes, times[a:b], amounts[a:b], sizes)[at] for a, b in spans]
            bond_percents = 100.0 * np.array(lost, dtype=np.float64) / gross
    value = present_value(*nodes, times, amounts)
    flows_worth = (*nodes, times, amounts) if abs(value) > _LEAST_VALUE else (*nodes, np.empty(0), np.empty(0))
    figures = InterestRateRisk(
        currency=currency,
        curve_ns=curve.curve_ns,
        bonds=len(bonds),
        present_value=value,
        gross_value=gross,
        dv01=dv01(*nodes, times, amounts),
        effective_duration_years=effective_duration(*flows_worth),
        effective_convexity_years2=effective_convexity(*flows_worth),
        key_tenors_years=KEY_TENORS_YEARS,
        key_rate_dv01=tuple(key_rate_dv01(*nodes, times, amounts).tolist()),
        key_rate_durations_years=tuple(key_rate_durations(*flows_worth).tolist()),
        shock_losses=losses,
        worst_loss_percent=worst_percent,
    )
    return BondValuation(figures, worst, bond_percents)
