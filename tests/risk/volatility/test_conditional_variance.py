import itertools
import math
from typing import Any

import numpy as np
import pytest
from arch import arch_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.standard_innovations import STANDARD_PATHS, standard_innovations
from risk.volatility.training_end import TrainingEnd
from risk.volatility.variance_recursion import LEAST_VARIANCE_PERCENT2
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, bars_back, model_name
from tests.arch_models import MODELS, arch_process, arch_variances, daily_returns

HAR = Har(constant=0.05, daily=0.4, weekly=0.3, monthly=0.2, scale=1.3, mean_percent=0.1, backcast_percent2=1.7)
every_model = pytest.mark.parametrize("model", [*MODELS, HAR], ids=model_name)


class SlowVariance:
    """The oracle of one symbol: whole histories in lists, and each formula as it is printed."""

    def __init__(self, model: VolatilityModel) -> None:
        self.model = model
        self.residuals: list[float] = []
        self.variances: list[float] = []
        self.realised: list[float] = []
        self.ewma = model.backcast_percent2

    def next_variance(self) -> float:
        """Return the forecast for the bar to come."""
        model, backcast = self.model, self.model.backcast_percent2

        def residual(lag: int) -> float | None:
            return self.residuals[-lag] if lag <= len(self.residuals) else None

        def variance(lag: int) -> float:
            return self.variances[-lag] if lag <= len(self.variances) else backcast

        def size(lag: int, power: float) -> float:
            found = residual(lag)
            return float(backcast ** (power / 2) if found is None else abs(found) ** power)

        def negative(lag: int) -> float:
            found = residual(lag)
            return 0.5 if found is None else float(found < 0)

        if isinstance(model, Ewma):
            found = (1 - model.decay) * size(1, 2) + model.decay * variance(1)
        elif isinstance(model, Garch):
            found = model.omega
            found += sum(a * size(i, model.power) for i, a in enumerate(model.alpha, 1))
            found += sum(g * size(i, model.power) * negative(i) for i, g in enumerate(model.gamma, 1))
            found += sum(b * variance(i) ** (model.power / 2) for i, b in enumerate(model.beta, 1))
            found **= 2 / model.power
        elif isinstance(model, Egarch):
            log = model.omega + sum(b * math.log(variance(i)) for i, b in enumerate(model.beta, 1))
            for i, a in enumerate(model.alpha, 1):
                e = residual(i)
                log += 0.0 if e is None else a * (abs(e) / math.sqrt(variance(i)) - math.sqrt(2 / math.pi))
            for i, g in enumerate(model.gamma, 1):
                e = residual(i)
                log += 0.0 if e is None else g * e / math.sqrt(variance(i))
            found = math.exp(min(log, 600.0))
        elif isinstance(model, Aparch):
            found = model.omega + sum(b * variance(i) ** (model.delta / 2) for i, b in enumerate(model.beta, 1))
            for i, a in enumerate(model.alpha, 1):
                e = residual(i)
                gamma = model.gamma[i - 1] if i <= len(model.gamma) else 0.0
                found += a * (math.sqrt(backcast) if e is None else abs(e) - gamma * e) ** model.delta
            found **= 2 / model.delta
        elif isinstance(model, Figarch):
            # (1 - beta L) psi(L) = (1 - beta L) - (1 - phi L)(1 - L)**d, solved lag by lag.
            binomial = [1.0]
            for k in range(1, model.truncation + 1):
                binomial.append(binomial[-1] * (k - 1 - model.d) / k)
            found, psi = model.omega / (1 - model.beta), 0.0
            for k in range(1, model.truncation + 1):
                right = -binomial[k] + model.phi * binomial[k - 1] - (model.beta if k == 1 else 0.0)
                psi = model.beta * psi + right
                found += psi * size(k, model.power)
            found **= 2 / model.power
        else:
            measured = [backcast / model.scale] * 22 + self.realised
            weights = (model.daily, 1), (model.weekly, 5), (model.monthly, 22)
            found = model.constant + sum(b * sum(measured[-n:]) / n for b, n in weights)
            found *= model.scale
        return float(max(found, LEAST_VARIANCE_PERCENT2))

    def advance(self, log_return: float, realised: float) -> tuple[float, ...]:
        """Return the bar's columns."""
        variance = self.next_variance()
        residual = log_return - self.model.mean_percent
        self.residuals.append(residual)
        self.variances.append(variance)
        self.realised.append(realised)
        self.ewma = 0.94 * self.ewma + 0.06 * log_return**2
        z = residual / math.sqrt(variance)
        return self.model.mean_percent, variance, residual, z, self.next_variance(), self.ewma


def columns(bars: Any) -> NDArray[np.float64]:
    """Return a batch's columns side by side."""
    return np.column_stack([getattr(bars, name) for name in bars.__slots__])


def alone(model: VolatilityModel) -> ConditionalVariance:
    """Return a step of one model."""
    return ConditionalVariance(VolatilityModels({"*": model}))


def fed(model: VolatilityModel, returns: NDArray[np.float64]) -> ConditionalVariance:
    """Return a step of one model after the returns of a symbol X, whose squares are its realised variances."""
    step = alone(model)
    step.advance(["X"] * len(returns), returns, returns**2)
    return step


bars = st.lists(st.tuples(st.sampled_from("ABC"), st.floats(-20, 20), st.floats(0, 50)), max_size=60)


@settings(max_examples=60)
@given(history=bars, numbers=st.lists(st.integers(0, len(MODELS)), min_size=3, max_size=3), at=st.integers(0, 60))
def test_bars_of_many_symbols_follow_the_slow_oracle(
    history: list[tuple[str, float, float]], numbers: list[int], at: int
) -> None:
    """Whatever models stand side by side, each symbol's columns are those of its own plain recursion."""
    chosen = dict(zip(("*", "A", "B"), ([*MODELS, HAR][one] for one in numbers), strict=True))
    step = ConditionalVariance(VolatilityModels(chosen))
    slow = {name: SlowVariance(chosen.get(name, chosen["*"])) for name in "ABC"}
    for part in (history[:at], history[at:]):
        found = step.advance([one[0] for one in part], *np.array([one[1:] for one in part]).reshape(-1, 2).T.copy())
        expected = [slow[name].advance(log_return, realised) for name, log_return, realised in part]
        np.testing.assert_allclose(columns(found), np.array(expected).reshape(-1, 6), rtol=1e-9, atol=1e-12)


@every_model
def test_a_stream_goes_on_where_training_ended(model: VolatilityModel) -> None:
    """Begun from the last bars of the first part, the second part gives what the joined series gives."""
    returns = daily_returns("sp500")[:3_000]
    realised = returns**2 + 0.1
    joined = alone(model).advance(["X"] * 3_000, returns, realised)
    last = slice(2_000 - bars_back(model), 2_000)
    end = TrainingEnd(
        tuple(joined.residual_percent[last].tolist()),
        tuple(joined.variance_percent2[last].tolist()),
        float(joined.ewma_next_variance_percent2[1_999]),
        tuple(realised[last].tolist()) if isinstance(model, Har) else (),
    )
    begun = type(model)(
        **{name: getattr(model, name) for name in model.__struct_fields__ if name != "start"}, start=end
    )
    found = alone(begun).advance(["X"] * 1_000, returns[2_000:], realised[2_000:])
    assert np.array_equal(columns(found), columns(joined)[2_000:])
    if not isinstance(model, Har):
        expected = arch_variances(model, returns)
        assert np.max(np.abs(found.variance_percent2 / expected[2_000:-1] - 1)) <= 1e-12


# arch 8 takes the asymmetry of a lag off its absolute residual in place, so that longer lags see it taken off twice.
@pytest.mark.parametrize("model", [one for one in MODELS if "APARCH(2" not in model_name(one)], ids=model_name)
def test_expected_variances_are_those_of_arch(model: VolatilityModel) -> None:
    """Ten bars ahead, arch's analytic forecasts; where it has none, its simulation along the same innovations."""
    returns = daily_returns("sp500")[:1_500]
    process, parameters = arch_process(model)
    analytic = not isinstance(model, Egarch | Aparch) and getattr(model, "power", 2.0) == 2.0
    innovations = standard_innovations(math.inf, 0.0, 10)
    forecast = process.forecast(
        parameters,
        returns - model.mean_percent,
        process.backcast_transform(model.backcast_percent2),
        np.tile([0.0, np.inf], (len(returns), 1)),
        start=len(returns) - 1,
        horizon=10,
        method="analytic" if analytic else "simulation",
        simulations=STANDARD_PATHS,
        rng=lambda size: innovations,
    )
    expected = forecast.forecasts[-1]
    np.testing.assert_allclose(fed(model, returns).variance_path(["X"], 10)[0], expected, rtol=1e-11)


@every_model
def test_one_bar_ahead_is_the_forecast(model: VolatilityModel) -> None:
    """However far the path goes, its first bar is the forecast in force."""
    step = alone(model)
    bars = step.advance(["X"] * 50, daily_returns("sp500")[:50], np.full(50, 0.7))
    for horizon in (1, 7):
        path = step.variance_path(["X"], horizon)
        assert path.shape == (1, horizon)
        assert path[0, 0] == bars.next_variance_percent2[-1]


@every_model
def test_simulated_bars_are_bars_that_come(model: VolatilityModel) -> None:
    """A simulated path sums the returns that a step would have had to see for those innovations."""
    step = fed(model, daily_returns("wti")[:1_100])
    innovations = np.random.default_rng(3).standard_t(4, (1, 5, 6))
    found = step.simulate(["X"], innovations)
    stored = step.dump()
    scale = getattr(model, "scale", 1.0)
    for path, total in enumerate(found[0]):
        other, expected = alone(model), 0.0
        other.load(stored.items())
        for z in innovations[0, path]:
            residual = math.sqrt(other.variance_path(["X"], 1)[0, 0]) * z
            expected += model.mean_percent + residual
            other.advance(["X"], np.array([model.mean_percent + residual]), np.array([residual**2 / scale]))
        assert total == pytest.approx(expected, rel=1e-9)
    assert step.dump() == stored


def test_linear_models_expect_what_many_paths_find() -> None:
    """The mean variance along many random paths is the formula's, for HAR as for GARCH."""
    for model in (HAR, MODELS[3]):
        step = fed(model, daily_returns("sp500")[:300])
        innovations = np.random.default_rng(0).standard_normal((1, 200_000, 5))
        totals = step.simulate(["X"], innovations)
        expected = step.variance_path(["X"], 5).sum()
        assert totals.var() == pytest.approx(expected, rel=0.02)
        assert totals.mean() == pytest.approx(5 * model.mean_percent, abs=0.05)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    numbers=st.lists(st.integers(0, len(MODELS)), min_size=2, max_size=2),
    at=st.integers(0, 40),
)
def test_an_installed_model_goes_on_from_the_last_bars(seed: int, numbers: list[int], at: int) -> None:
    """From the bar to come on, the recursion is the new model's over the residuals and variances that were."""
    first, second = ([*MODELS, HAR][one] for one in numbers)
    draw = np.random.default_rng(seed)
    returns, realised = draw.standard_t(4, 60), draw.random(60)
    models = VolatilityModels({"*": first, "other": second})
    step = ConditionalVariance(models)
    slow = SlowVariance(first)
    step.advance(["X"] * at, returns[:at], realised[:at])
    for one in range(at):
        slow.advance(returns[one], realised[one])
    step.install("X", second)
    slow.model = second
    if at == 0:
        slow.ewma = second.backcast_percent2
    restored = ConditionalVariance(models)
    restored.load(step.dump().items())
    found = step.advance(["X"] * (60 - at), returns[at:], realised[at:])
    expected = [slow.advance(returns[one], realised[one]) for one in range(at, 60)]
    np.testing.assert_allclose(columns(found), np.array(expected).reshape(-1, 6), rtol=1e-9, atol=1e-12)
    again = restored.advance(["X"] * (60 - at), returns[at:], realised[at:])
    assert np.array_equal(columns(again), columns(found))
    assert restored.dump() == step.dump()
    assert type(restored.model("X")) is type(second)


def test_bars_that_a_row_did_not_hold_are_unseen() -> None:
    """A model that looks back three bars takes the two that a row of one bar lacks from its backcast."""
    old = fed(MODELS[3], np.array([1.0, -2.0, 3.0]))
    new = alone(MODELS[6])
    new.load(old.dump().items())
    slow = SlowVariance(MODELS[6])
    slow.residuals = [3.0 - MODELS[3].mean_percent, 0.5 - MODELS[6].mean_percent]
    slow.variances = [arch_variances(MODELS[3], np.array([1.0, -2.0, 3.0]))[2], old.variance_path(["X"], 1)[0, 0]]
    bars = new.advance(["X"], np.array([0.5]), np.zeros(1))
    assert bars.next_variance_percent2[0] == pytest.approx(slow.next_variance(), rel=1e-12)


def test_a_symbol_with_a_model_of_its_own_gets_it_back() -> None:
    """A row stored before anything was installed brings back the model that was given for the symbol."""
    models = VolatilityModels({"*": MODELS[3], "X": MODELS[0]})
    step = ConditionalVariance(models)
    step.advance(["X"], np.ones(1), np.ones(1))
    stored = step.dump()
    step.install("X", MODELS[1])
    step.load(stored.items())
    assert step.model("X") == MODELS[0]


def test_other_symbols_keep_their_models() -> None:
    """A model installed for one symbol changes no other, and a row stored before it brings the old one back."""
    step = fed(MODELS[3], daily_returns("sp500")[:50])
    stored = step.dump()
    step.install("X", MODELS[0])
    assert step.model("X") == MODELS[0]
    assert step.model("Y") == MODELS[3]
    step.install("X", MODELS[1])
    assert step.model("X").decay == pytest.approx(0.97)  # type: ignore[union-attr]
    step.load(stored.items())
    assert step.model("X") == MODELS[3]
    assert step.dump() == stored


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (MODELS[4], "needs 2 lags, and the state keeps 1"),
        (MODELS[16], "needs 1000 truncation, and the state keeps 1"),
        (HAR, "needs 22 realised_bars, and the state keeps 1"),
        (MODELS[5], "needs 14 packed, and the state keeps 13"),
    ],
)
def test_a_model_that_looks_too_far_back_is_refused(model: VolatilityModel, reason: str) -> None:
    """What the rows cannot hold is refused with what it needs, and the old model stays."""
    step = alone(MODELS[3])
    with pytest.raises(ValueError, match=reason):
        step.install("X", model)
    assert step.model("X") == MODELS[3]


def test_a_horizon_below_one_is_refused() -> None:
    """There is no variance of no bar."""
    with pytest.raises(ValueError, match="horizon_bars 0 must be at least 1"):
        alone(HAR).variance_path(["X"], 0)


@pytest.mark.parametrize(
    "distribution",
    [
        StandardisedDistribution("normal"),
        StandardisedDistribution("t", 4.0),
        StandardisedDistribution("skewt", 6.0, -0.3),
    ],
    ids=lambda one: one.kind,
)
def test_fixed_innovations_are_standardised_and_spread(distribution: StandardisedDistribution) -> None:
    """Each bar holds every quantile once, of mean 0 and variance 1, and no two bars go together."""
    innovations = standard_innovations(*distribution.shape(), 20)
    assert innovations.shape == (STANDARD_PATHS, 20)
    assert np.allclose(innovations.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(innovations.var(axis=0), 1)
    assert all(np.array_equal(np.sort(one), np.sort(innovations[:, 0])) for one in innovations.T)
    for first, second in itertools.combinations(range(20), 2):
        assert abs(np.corrcoef(innovations[:, first], innovations[:, second])[0, 1]) < 0.13
    # Hansen's distribution and Student's t as arch draws their quantiles.
    law = arch_model(np.zeros(10), dist=distribution.kind).distribution
    shape = {"normal": (), "t": distribution.shape()[:1], "skewt": distribution.shape()}[distribution.kind]
    middles = (np.arange(STANDARD_PATHS) + 0.5) / STANDARD_PATHS
    quantiles = np.asarray(law.ppf(middles, np.array(shape) if shape else None))
    np.testing.assert_allclose(np.sort(innovations[:, 0]), (quantiles - quantiles.mean()) / quantiles.std(), atol=1e-8)


@settings(max_examples=40)
@given(
    numbers=st.lists(st.integers(0, len(MODELS)), min_size=2, max_size=2),
    kept=st.integers(0, len(MODELS)),
    bars=st.integers(1, 80),
)
def test_a_state_goes_on_under_models_of_other_lengths(numbers: list[int], kept: int, bars: int) -> None:
    """Rows written for one set of models are taken up by another, whose recursion goes on from the bars they hold."""
    before, after = ([*MODELS, HAR][one] for one in numbers)
    third = [*MODELS, HAR][kept]
    draw = np.random.default_rng(bars)
    returns, realised = draw.standard_t(4, bars + 9), draw.random(bars + 9)
    old = ConditionalVariance(VolatilityModels({"*": before, "other": third}))
    old.advance(["X"] * bars, returns[:bars], realised[:bars])
    new = ConditionalVariance(VolatilityModels({"*": after}))
    new.load(old.dump().items())
    slow = SlowVariance(before)
    for at in range(bars):
        slow.advance(returns[at], realised[at])
    # What the rows did not hold, the new model has not seen.
    held = min(bars, *(bars_back(one) for one in (before, third)))
    expected = slow.next_variance()
    found = new.advance(["X"] * 9, returns[bars:], realised[bars:])
    assert found.variance_percent2[0] == pytest.approx(expected, rel=1e-9)
    assert np.isfinite(columns(found)).all()
    if bars_back(after) <= held and not isinstance(after, Har):
        slow.model = after
        first = slow.variances, slow.residuals
        assert len(first[0]) == bars
        slow.residuals.append(returns[bars] - after.mean_percent)
        slow.variances.append(expected)
        assert found.next_variance_percent2[0] == pytest.approx(slow.next_variance(), rel=1e-9)


def test_an_installed_model_stays_where_there_is_room() -> None:
    """Under a set of models that looks as far back it goes on; under a shorter one the new model takes its place."""
    step = ConditionalVariance(VolatilityModels({"*": MODELS[3], "wide": MODELS[6]}))
    step.advance(["X"] * 5, np.arange(5.0), np.zeros(5))
    step.install("X", MODELS[4])
    for pooled, expected in ((MODELS[12], MODELS[4]), (MODELS[1], MODELS[1])):
        other = ConditionalVariance(VolatilityModels({"*": pooled}))
        other.load(step.dump().items())
        assert bars_back(other.model("X")) == bars_back(expected)
        assert type(other.model("X")) is type(expected)


@pytest.mark.parametrize("row", [b"", b"\x01" * 40, np.array([1, 1, 1, 13, 0], dtype="<i8").tobytes()])
def test_bytes_that_are_no_row_are_refused(row: bytes) -> None:
    """A row that does not tell its form, or is not as long as that, was written by something else."""
    with pytest.raises(ValueError, match="a packed row"):
        alone(HAR).load([(b"X", row)])
