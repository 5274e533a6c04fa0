"""How far a yield usually moves: an exponentially weighted variance of moves in basis points, about zero."""

import math

from numba import njit


@njit(cache=True)
def next_move_variance(variance_bp2: float, moves: int, square_bp2: float, ewma_lambda: float) -> float:
    """Return the variance after one more squared move, in bp squared, when `moves` went into it before.

    The first moves count alike until one of n weighs 1 - lambda: then RiskMetrics' decay (1996, s. 5.2) takes over.

    >>> next_move_variance(4.0, 1, 16.0, 0.94), round(next_move_variance(4.0, 500, 16.0, 0.94), 9)
    (10.0, 4.72)
    """
    weight = max(1.0 - ewma_lambda, 1.0 / (moves + 1))
    return variance_bp2 + weight * (square_bp2 - variance_bp2)


@njit(cache=True)
def volatility_of(variance_bp2: float, moves: int, warm_up_moves: int, least_volatility_bp: float) -> float:
    """Return the standard deviation in bp, at least `least_volatility_bp`; 0 while there were fewer moves than needed.

    >>> volatility_of(9.0, 20, 20, 1.0), volatility_of(0.01, 20, 20, 1.0), volatility_of(9.0, 19, 20, 1.0)
    (3.0, 1.0, 0.0)
    """
    return max(math.sqrt(variance_bp2), least_volatility_bp) if moves >= warm_up_moves else 0.0


@njit(cache=True)
def deviations_of(move_bp: float, volatility_bp: float) -> float:
    """Return a move in units of the volatility, 0 where that is not known.

    >>> deviations_of(-9.0, 3.0), deviations_of(5.0, 0.0)
    (-3.0, 0.0)
    """
    return move_bp / volatility_bp if volatility_bp > 0.0 else 0.0
