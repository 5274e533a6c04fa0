import zipfile
from pathlib import Path

import arch.data.sp500
import msgspec
import numpy as np
import pytest
from arch import arch_model
from arch.univariate import FIGARCH, EWMAVariance
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_model import Aparch, Egarch, Figarch, Garch
from risk.volatility.volatility_models import VolatilityModels
from tests.arch_models import arch_process, arch_variances, daily_returns
from training.market.volatility_fit import FitError, ModelOrder, fit_volatility_model

ORDERS = (
    ModelOrder(kind="ewma", distribution="t"),
    ModelOrder(kind="garch"),
    ModelOrder(kind="garch", o=1, distribution="skewt"),
    ModelOrder(kind="garch", o=1, power=1.0, distribution="t"),
    ModelOrder(kind="garch", p=2, q=2),
    ModelOrder(kind="egarch", o=1, distribution="t"),
    ModelOrder(kind="aparch", o=1, distribution="skewt"),
    ModelOrder(kind="figarch", truncation=300),
    ModelOrder(kind="figarch", p=0, power=1.0, truncation=100),
)
every_order = pytest.mark.parametrize(
    "order", ORDERS, ids=lambda one: f"{one.kind}{one.p}{one.o}{one.q}-{one.power:g}-{one.distribution}"
)


def arch_model_of(order: ModelOrder, returns: NDArray[np.float64]) -> object:
    """Return arch's own model, written out here once more."""
    kind = {"ewma": "EWMA"}.get(order.kind, order.kind.upper())
    model = arch_model(
        returns,
        mean="Zero" if order.kind == "ewma" else "Constant",
        vol="GARCH" if kind == "EWMA" else kind,  # type: ignore[arg-type]
        p=order.p,
        o=order.o,
        q=order.q,
        power=order.power,
        dist=order.distribution,
        rescale=False,
    )
    if order.kind == "figarch":
        model.volatility = FIGARCH(order.p, order.q, order.power, order.truncation)
    if order.kind == "ewma":
        model.volatility = EWMAVariance()
    return model


def simple_returns() -> NDArray[np.float64]:
    """Return the S&P 500's simple returns in percent, on which arch's documentation fits its examples."""
    return np.asarray(100 * arch.data.sp500.load()["Adj Close"].pct_change().dropna().to_numpy(), dtype=np.float64)


def test_the_published_fits_come_out() -> None:
    """GARCH, GJR and TARCH with Student's t of the S&P 500, 1999 to 2018, are those of arch's documentation."""
    returns = simple_returns()
    garch = fit_volatility_model(returns, ModelOrder(kind="garch"))
    assert garch.log_likelihood == pytest.approx(-6936.72, abs=0.005)
    assert isinstance(garch.model, Garch)
    found = (garch.model.mean_percent, garch.model.omega, *garch.model.alpha, *garch.model.beta)
    assert found == pytest.approx([0.0564, 0.0175, 0.1022, 0.8852], abs=6e-5)
    assert garch.bic == pytest.approx(13_907.5, abs=0.1)
    gjr = fit_volatility_model(returns, ModelOrder(kind="garch", o=1))
    assert gjr.log_likelihood == pytest.approx(-6822.88, abs=0.005)
    tarch = fit_volatility_model(returns, ModelOrder(kind="garch", o=1, power=1.0, distribution="t"))
    assert tarch.log_likelihood == pytest.approx(-6722.15, abs=0.005)


@every_order
def test_a_fit_is_that_of_arch_and_streams_as_it(order: ModelOrder) -> None:
    """The likelihood is no worse than arch's own, and the stream's variances are arch's at the parameters found."""
    returns = daily_returns("nasdaq")[:2_500]
    fit = fit_volatility_model(returns, order)
    own = arch_model_of(order, returns)
    result = own.fit(disp="off", show_warning=False)  # type: ignore[attr-defined]
    assert fit.log_likelihood >= result.loglikelihood - 0.02
    process, parameters = arch_process(fit.model)
    residuals = returns - fit.model.mean_percent
    variances = process.compute_variance(
        parameters,
        residuals,
        np.zeros(len(returns)),
        process.backcast_transform(fit.model.backcast_percent2),
        process.variance_bounds(residuals),
    )
    assert np.max(np.abs(fit.bars.variance_percent2 / variances - 1)) <= 1e-10
    law = own.distribution  # type: ignore[attr-defined]
    shape = [one for one in (fit.model.distribution.degrees_of_freedom, fit.model.distribution.skew) if one]
    told = law.loglikelihood(np.array(shape), residuals, variances)
    assert fit.log_likelihood == pytest.approx(float(told), abs=1e-6)
    assert fit.estimated == len(result.params)


@every_order
def test_a_fitted_model_goes_on_with_new_returns(order: ModelOrder) -> None:
    """Fitted on the first part and fed the second, the variances are arch's over the joined series."""
    returns = daily_returns("wti")[-3_000:]
    fit = fit_volatility_model(returns[:2_000], order)
    stored = msgspec.json.decode(msgspec.json.encode(VolatilityModels({"*": fit.model})), type=VolatilityModels)
    bars = ConditionalVariance(stored).advance(["CL"] * 1_000, returns[2_000:], np.zeros(1_000))
    process, parameters = arch_process(fit.model)
    joined = process.compute_variance(
        parameters,
        returns - fit.model.mean_percent,
        np.zeros(3_000),
        process.backcast_transform(fit.model.backcast_percent2),
        np.tile([0.0, np.inf], (3_000, 1)),
    )
    assert np.max(np.abs(bars.variance_percent2 / joined[2_000:] - 1)) <= 1e-10


@pytest.mark.parametrize("kind", ["garch", "egarch", "aparch", "figarch"])
def test_the_unit_of_returns_changes_only_the_unit(kind: str) -> None:
    """Returns a thousand times smaller have the same standardised residuals."""
    returns = daily_returns("sp500")[:1_500]
    order = ModelOrder(kind=kind, o=0 if kind == "figarch" else 1, truncation=200)  # type: ignore[arg-type]
    large, small = (fit_volatility_model(one, order) for one in (returns, returns / 1_024))
    np.testing.assert_allclose(large.bars.standardised_residual, small.bars.standardised_residual, rtol=1e-6, atol=1e-9)
    assert large.log_likelihood == pytest.approx(small.log_likelihood - 1_500 * np.log(1_024), abs=1e-5)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-4, 50.0), heavy=st.booleans())
def test_whatever_moves_can_be_fitted(seed: int, scale: float, heavy: bool) -> None:
    """Returns without any ARCH, on the edge of what can be estimated, are still fitted."""
    draw = np.random.default_rng(seed)
    returns = scale * (draw.standard_t(3, 600) if heavy else draw.standard_normal(600))
    for order in (ModelOrder(kind="garch"), ModelOrder(kind="egarch", o=1)):
        assert np.isfinite(fit_volatility_model(returns, order).log_likelihood)


def test_simulated_parameters_are_found_again() -> None:
    """A long path of a known EGARCH gives its parameters back, within what chance allows."""
    draw = np.random.default_rng(1)
    log, returns = 0.0, np.empty(20_000)
    for at, z in enumerate(draw.standard_normal(20_000)):
        returns[at] = 0.1 + np.exp(log / 2) * z
        log = 0.02 + 0.2 * (abs(z) - np.sqrt(2 / np.pi)) - 0.1 * z + 0.9 * log
    model = fit_volatility_model(returns, ModelOrder(kind="egarch", o=1)).model
    assert isinstance(model, Egarch)
    found = (model.mean_percent, model.omega, model.alpha[0], model.gamma[0], model.beta[0])
    assert found == pytest.approx([0.1, 0.02, 0.2, -0.1, 0.9], abs=0.02)


def test_real_minutes_are_fitted(shared_data: Path) -> None:
    """Minute returns of EUR/USD and of SPY are fitted by every kind, and their variances are arch's."""
    for returns in (eurusd_minutes(shared_data), spy_minutes(shared_data)):
        assert len(returns) > 1_000
        for order in (ORDERS[1], ORDERS[2], ORDERS[5], ORDERS[6], ORDERS[7]):
            fit = fit_volatility_model(returns, order)
            assert isinstance(fit.model, Garch | Egarch | Aparch | Figarch)
            assert np.isfinite(fit.log_likelihood)
            expected = arch_variances(fit.model, returns)[:-1]
            assert np.max(np.abs(fit.bars.variance_percent2 / expected - 1)) <= 1e-10
            if order.distribution == "normal":
                assert np.mean(fit.bars.standardised_residual**2) == pytest.approx(1.0, abs=0.15)


def eurusd_minutes(shared_data: Path) -> NDArray[np.float64]:
    """Return the returns in percent from minute to minute of one day's middle prices."""
    file = sorted((shared_data / "market/lean/forex/oanda/tick/eurusd").glob("*.zip"))[0]
    with zipfile.ZipFile(file) as archive:
        rows = np.loadtxt(archive.open(archive.namelist()[0]), delimiter=",")
    return minute_returns(rows[:, 0], 0.5 * (rows[:, 1] + rows[:, 2]))


def spy_minutes(shared_data: Path) -> NDArray[np.float64]:
    """Return those of SPY's trades of three days, within each day."""
    returns = []
    for file in sorted((shared_data / "market/lean/equity/usa/tick/spy").glob("*trade*.zip")):
        with zipfile.ZipFile(file) as archive:
            rows = np.genfromtxt(archive.open(archive.namelist()[0]), delimiter=",", usecols=(0, 1))
        returns.append(minute_returns(rows[:, 0], rows[:, 1]))
    return np.concatenate(returns)


def minute_returns(time_ms: NDArray[np.float64], price: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log returns in percent between the last prices of minutes."""
    minutes = time_ms // 60_000
    last = np.append(np.flatnonzero(np.diff(minutes)), len(minutes) - 1)
    return np.asarray(100 * np.diff(np.log(price[last])), dtype=np.float64)


@pytest.mark.parametrize(
    ("returns", "reason"),
    [
        (np.ones(499), "499 returns are too few to fit garch, 500 are needed"),
        (np.full(500, 0.25), "500 returns are all 0.25: a price that never moves has no volatility"),
    ],
)
def test_what_cannot_be_fitted_is_told(returns: NDArray[np.float64], reason: str) -> None:
    """Too few returns, and returns that never move, are errors that say so."""
    with pytest.raises(FitError, match=reason):
        fit_volatility_model(returns, ModelOrder(kind="garch"))
