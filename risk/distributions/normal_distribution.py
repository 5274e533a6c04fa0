"""The standard normal distribution."""

import math

from numba import njit


@njit(cache=True)
def normal_density(x: float) -> float:
    """Return the density of the standard normal.

    >>> round(normal_density(0.0), 12)
    0.398942280401
    """
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


@njit(cache=True)
def normal_cdf(x: float) -> float:
    """Return the probability that a standard normal is at most x.

    >>> round(normal_cdf(-1.6448536269514726), 12)
    0.05
    """
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@njit(cache=True)
def normal_quantile(probability: float) -> float:
    """Return the x that a standard normal is at most with a probability strictly between 0 and 1.

    Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988),
    PPND16: good to about 1e-16 of the value.

    >>> round(normal_quantile(0.975), 12)
    1.95996398454
    """
    q = probability - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = 2.5090809287301226727e3
        for one in (
            3.3430575583588128105e4,
            6.7265770927008700853e4,
            4.5921953931549871457e4,
            1.3731693765509461125e4,
            1.9715909503065514427e3,
            1.3314166789178437745e2,
            3.3871328727963666080e0,
        ):
            top = top * r + one
        bottom = 5.2264952788528545610e3
        for one in (
            2.8729085735721942674e4,
            3.9307895800092710610e4,
            2.1213794301586595867e4,
            5.3941960214247511077e3,
            6.8718700749205790830e2,
            4.2313330701600911252e1,
            1.0,
        ):
            bottom = bottom * r + one
        return q * top / bottom
    r = math.sqrt(-math.log(min(probability, 1.0 - probability)))
    if r <= 5.0:
        r -= 1.6
        top = 7.74545014278341407640e-4
        for one in (
            2.27238449892691845833e-2,
            2.41780725177450611770e-1,
            1.27045825245236838258e0,
            3.64784832476320460504e0,
            5.76949722146069140550e0,
            4.63033784615654529590e0,
            1.42343711074968357734e0,
        ):
            top = top * r + one
        bottom = 1.05075007164441684324e-9
        for one in (
            5.47593808499534494600e-4,
            1.51986665636164571966e-2,
            1.48103976427480074590e-1,
            6.89767334985100004550e-1,
            1.67638483018380384940e0,
            2.05319162663775882187e0,
            1.0,
        ):
            bottom = bottom * r + one
    else:
        r -= 5.0
        top = 2.01033439929228813265e-7
        for one in (
            2.71155556874348757815e-5,
            1.24266094738807843860e-3,
            2.65321895265761230930e-2,
            2.96560571828504891230e-1,
            1.78482653991729133580e0,
            5.46378491116411436990e0,
            6.65790464350110377720e0,
        ):
            top = top * r + one
        bottom = 2.04426310338993978564e-15
        for one in (
            1.42151175831644588870e-7,
            1.84631831751005468180e-5,
            7.86869131145613259100e-4,
            1.48753612908506148525e-2,
            1.36929880922735805310e-1,
            5.99832206555887937690e-1,
            1.0,
        ):
            bottom = bottom * r + one
    return top / bottom if q > 0.0 else -top / bottom
