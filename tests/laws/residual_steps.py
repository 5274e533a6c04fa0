"""The step that tests residuals, with events for it."""

import numpy as np
from steps import Events, Step, keys, rows_of

from risk.volatility.residual_tests import ResidualTests


def _residuals(draw: np.random.Generator, n: int) -> Events:
    usual = draw.standard_normal(n)
    rare = draw.choice([0.0, 1e-300, -1e150, 1e6], n)
    return {"symbol": keys(draw, n, "s"), "standardised_residual": np.where(draw.random(n) < 0.97, usual, rare)}


def _advance(step: ResidualTests, events: Events) -> list[bytes]:
    found = step.advance(**events)
    columns = (found.correlation_p, found.squares_p, found.scale_p, found.rejected)
    return rows_of(np.column_stack(columns).astype(np.float64))


STEPS = (Step("residual tests", ResidualTests, _advance, _residuals, "symbol"),)
