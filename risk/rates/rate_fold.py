"""Curve points, keyed by currency -> closed curves -> messages, forecasts, alerts on shocks, rows for portfolios."""

from collections.abc import Iterable

from risk.chunk import Chunk
from risk.dead_letters import reject
from risk.event_time import split_future
from risk.first_hop import FirstHop
from risk.fold import Emitted, Output
from risk.forecasts import forecast_step
from risk.forecasts.forecast_outputs import forecast_outputs
from risk.forecasts.forecast_step import Forecasts
from risk.identity import alert_id
from risk.market.market_bundle import MarketBundle
from risk.market.market_columns import curve_columns
from risk.market.market_routing import MarketRouting
from risk.rates import curve_alerts, curve_step
from risk.rates.closed_curves import ClosedCurves
from risk.rates.curve_alert_message import curve_alert_message
from risk.rates.curve_alerts import CurveAlerts
from risk.rates.curve_factors import FACTORS
from risk.rates.curve_identity import curve_event_id
from risk.rates.curve_message import curve_message
from risk.rates.curve_reasons import curve_reasons
from risk.rates.curve_shocks import curve_shocks
from risk.rates.curve_step import CurveStep
from risk.rates.decode_rates import decode_rates
from risk.rates.factor_series import factor_series
from risk.rates.rate_rejections import refused_points
from schemas.encoding import encode
from schemas.source import Source


class RateFold(FirstHop):
    """Advances the curves of one partition of currencies; see `risk.fold.Fold`.

    A curve and an alert on it have the same id, each in its own topic. The bundle's forecasters forecast the factors of
    every curve as they do symbols; `partitions` is how many market events have.
    """

    _routing: MarketRouting

    def __init__(self, partition: int, *, partitions: int, bundle: MarketBundle) -> None:
        self._parameters = bundle.parameters.rates
        self._bundle_name, self._bundle_version = bundle.manifest.name, bundle.version
        self._curves = CurveStep(self._parameters)
        self._alerts = CurveAlerts(self._parameters)
        self._forecasts = Forecasts(bundle.parameters.forecasters, bundle.graphs)
        self._routing = MarketRouting("rates", partition, partitions)

    @property
    def state_version(self) -> str:
        """Names the form of the rows, and the length of the curves that they hold."""
        versions = (curve_step.STATE_VERSION, curve_alerts.STATE_VERSION, forecast_step.STATE_VERSION)
        return f"rates-{'-'.join(map(str, versions))}-{self._parameters.curve_ns}ns"

    def __len__(self) -> int:
        return sum(len(step) for _, step in self._steps())

    def advance(self, chunk: Chunk) -> Emitted:
        """Take the points; emit dead letters, and for each curve that closed messages and maybe an alert."""
        emitted = Emitted()
        chunk = self._unread(chunk)
        columns, rejections = decode_rates(chunk.keys, chunk.values)
        columns, future = split_future(columns, chunk)
        curves = self._curves.advance(
            columns.currency, columns.tenor_months, columns.rate_percent, columns.event_time_ns
        )
        refused = refused_points(columns, curves)
        reject(emitted, chunk, rejections + future + refused)
        self._note(chunk)
        nodes = [slice(count) for count in curves.tenors.tolist()]
        rows = curve_columns(
            columns.index[curves.index],
            columns.event_time_ns[curves.index],
            curves.currency,
            curves.event_time_ns,
            tenors_years=[curves.tenor_months[at, node] / 12.0 for at, node in enumerate(nodes)],
            zero_percent=[curves.zero_percent[at, node] for at, node in enumerate(nodes)],
        )
        alerts = self._publish(emitted, chunk, curves, rows.index.tolist())
        emitted.outputs += self._routing.outputs(chunk, rows)
        emitted.counts = {
            "points": len(columns.currency) - len(refused),
            "curves": len(curves),
            "alerted": alerts,
        }
        return emitted

    def _publish(self, emitted: Emitted, chunk: Chunk, curves: ClosedCurves, records: list[int]) -> int:
        """Add each curve's messages, and the alert on it if there is one; return how many alerts there were."""
        series = factor_series(curves)
        forecasts = self._forecasts.advance(series.key, series.level, series.change)
        shocks = curve_shocks(curves, self._parameters)
        shocked, inverted = self._alerts.advance(
            curves.currency, curves.event_time_ns, shocks.score, curves.factors_percent[:, 1]
        )
        for at, record in enumerate(records):
            source = Source(topic=chunk.topic, partition=chunk.partition, offset=int(chunk.offsets[record]))
            currency = curves.currency[at]
            event_id = curve_event_id(currency, int(curves.event_time_ns[at]))
            identity = alert_id(event_id, currency, self._bundle_version)
            curve = curve_message(
                curves,
                at,
                curve_id=identity,
                source=source,
                bundle_name=self._bundle_name,
                bundle_version=self._bundle_version,
            )
            place = source.partition, currency.encode()
            emitted.outputs.append(Output("curves", *place, encode(curve), bytes.fromhex(identity)))
            for row in range(len(FACTORS) * at, len(FACTORS) * (at + 1)):
                emitted.outputs += forecast_outputs(
                    forecasts,
                    row,
                    models=self._forecasts.models,
                    end_ns=curve.event_time_ns,
                    source=source,
                    bundle_name=self._bundle_name,
                    bundle_version=self._bundle_version,
                )
            if not (shocked[at] or inverted[at]):
                continue
            score, reasons = curve_reasons(
                curves, at, shocks, self._parameters, shocked=bool(shocked[at]), inverted=bool(inverted[at])
            )
            alert = curve_alert_message(
                curves,
                at,
                score,
                reasons,
                alert_id=identity,
                source=source,
                bundle_name=self._bundle_name,
                bundle_version=self._bundle_version,
            )
            emitted.outputs.append(Output("alerts", *place, encode(alert), bytes.fromhex(identity)))
        return int((shocked | inverted).sum())

    def _steps(self) -> tuple[tuple[bytes, CurveStep | CurveAlerts | Forecasts], ...]:
        """Return what the rows of each step are stored under, and the step."""
        return ((b"curve/", self._curves), (b"alert/", self._alerts), (b"forecast/", self._forecasts))

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the rows changed since the last call, of every step."""
        return [(name + key, row) for name, step in self._steps() for key, row in step.take_changed()]

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its rows."""
        self._restore_source(cut)
        pairs = list(rows)
        for name, step in self._steps():
            step.load((key.removeprefix(name), row) for key, row in pairs if key.startswith(name))
