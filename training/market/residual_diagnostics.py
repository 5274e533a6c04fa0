"""Whether the residuals that a volatility model leaves look as if the model were right."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
from statsmodels.stats.stattools import jarque_bera

LAGS = 10

REJECTION_LEVEL = 0.01
"""At 1 % a right model is rejected once in fifty times by the two tests together."""


@dataclass(frozen=True, slots=True)
class ResidualDiagnostics:
    """p-values of tests of standardised residuals z: small where such residuals would be rare under a right model.

    `correlation_p` is Ljung and Box's of z, `squares_p` theirs of z squared (McLeod and Li), `arch_p` Engle's Lagrange
    multiplier test of what is left of ARCH, `normality_p` that of Jarque and Bera.
    """

    correlation_p: float
    squares_p: float
    arch_p: float
    normality_p: float

    @property
    def rejected(self) -> bool:
        """Whether squares still follow from squares at the level REJECTION_LEVEL: volatility is not what it says.

        Correlation is the mean's fault, and a shape that is not normal the distribution's.
        """
        return self.squares_p < REJECTION_LEVEL or self.arch_p < REJECTION_LEVEL


def diagnose_residuals(standardised_residuals: NDArray[np.float64], estimated: int = 0) -> ResidualDiagnostics:
    """Return what LAGS lags of residuals float64[n] tell, where `estimated` lags of the variance were estimated.

    Ljung and Box, Biometrika 65 (1978); McLeod and Li, Journal of Time Series Analysis 4 (1983); Engle, Econometrica 50
    (1982); Jarque and Bera, Economics Letters 6 (1980). Raises ValueError for fewer than 50 residuals.

    >>> diagnose_residuals(np.random.default_rng(0).standard_normal(1000)).rejected
    False
    """
    z = standardised_residuals
    if len(z) < 5 * LAGS:
        raise ValueError(f"{len(z)} residuals are too few to test {LAGS} lags: give at least {5 * LAGS}")
    return ResidualDiagnostics(
        correlation_p=float(acorr_ljungbox(z, lags=[LAGS])["lb_pvalue"].iloc[0]),
        squares_p=float(acorr_ljungbox(z * z, lags=[LAGS], model_df=estimated)["lb_pvalue"].iloc[0]),
        arch_p=float(het_arch(z, nlags=LAGS, result_object=False)[1]),
        normality_p=float(jarque_bera(z)[1]),
    )
