"""The topology, on one screen: which agent reads which topic, and what it gives.

transactions    -> customers -> merchant-events, deadletter
labels          -> labels    -> merchant-events, deadletter
merchant-events -> merchants -> alerts, scores, deadletter
ticks           -> ticks     -> market-events, volatility, forecasts, alerts, deadletter
rates           -> rates     -> market-events, curves, forecasts, alerts, deadletter
positions       -> positions -> market-events, deadletter
market-events   -> portfolios -> portfolio-risk, alerts, deadletter
applications    -> applications -> decisions, deadletter
"""

from risk.application_fold import ApplicationFold
from risk.customer_fold import CustomerFold
from risk.fold import Stream
from risk.label_fold import LabelFold
from risk.market.market_bundle import MarketBundle
from risk.market.market_events import Role
from risk.market.market_rows import MarketRows
from risk.market.tick_fold import TickFold
from risk.merchant_fold import MerchantFold
from risk.merchant_rows import MerchantRows
from risk.portfolios.portfolio_fold import ROLES, PortfolioFold
from risk.portfolios.portfolio_parameters import PortfolioParameters
from risk.portfolios.position_fold import PositionFold
from risk.rates.rate_fold import RateFold
from stream.bundles import Bundles
from stream.job_spec import JobSpec
from stream.jobs_app import JobsApp, create_jobs_app
from stream.metrics import Metrics
from stream.settings import Settings


def job_specs(settings: Settings, bundles: Bundles) -> tuple[JobSpec, ...]:
    """Return the jobs: their topics, and how each makes an empty fold for a partition.

    Without a bundle of credit applications these are left unread; without one of markets, so are ticks.
    """
    bundle, credit, market = bundles.transactions, bundles.credit, bundles.market
    topic = settings.topic
    alerts: dict[Stream, str] = {"alerts": topic("alerts")}
    decisions: dict[Stream, str] = {"decisions": topic("decisions")}
    dead_letters: dict[Stream, str] = {"dead_letters": topic("deadletter")}
    merchant_events: dict[Stream, str] = {"merchant_events": topic("merchant-events")}
    specs: tuple[JobSpec, ...] = (
        JobSpec(
            "customers",
            topic("transactions"),
            topic("changelog-customers"),
            merchant_events | dead_letters,
            lambda partition: CustomerFold(
                partition, partitions=settings.partitions, currency=bundle.manifest.currency
            ),
        ),
        JobSpec(
            "labels",
            topic("labels"),
            topic("changelog-labels"),
            merchant_events | dead_letters,
            lambda partition: LabelFold(partition, partitions=settings.partitions),
        ),
        JobSpec(
            "merchants",
            topic("merchant-events"),
            topic("changelog-merchants"),
            alerts | {"scores": topic("scores")} | dead_letters,
            lambda partition: MerchantFold(
                partition,
                partitions=settings.partitions,
                bundle=bundle,
                transactions_topic=topic("transactions"),
                publish_scores=settings.publish_scores,
            ),
            MerchantRows({"transactions": topic("transactions"), "labels": topic("labels")}),
        ),
    )
    if market is not None:
        specs += _market_specs(settings, market)
    if credit is not None:
        applications = JobSpec(
            "applications",
            topic("applications"),
            topic("changelog-applications"),
            decisions | dead_letters,
            lambda partition: ApplicationFold(partition, bundle=credit),
        )
        specs = (*specs, applications)
    return specs


def _market_specs(settings: Settings, bundle: MarketBundle) -> tuple[JobSpec, ...]:
    """Return the jobs of markets: ticks, rates and positions, and the second hop where portfolios meet them."""
    topic, partitions = settings.topic, settings.partitions
    alerts: dict[Stream, str] = {"alerts": topic("alerts")}
    dead_letters: dict[Stream, str] = {"dead_letters": topic("deadletter")}
    market_events: dict[Stream, str] = {"market_events": topic("market-events")}
    sources: dict[Role, str] = {role: topic(role) for role in ROLES}
    rules = bundle.parameters.value_at_risk
    portfolios = PortfolioParameters(
        bundle.manifest.name,
        bundle.version,
        bundle.parameters.correlation,
        rules.levels,
        rules.horizons_bars,
        bundle.parameters.portfolios,
    )
    return (
        JobSpec(
            "ticks",
            topic("ticks"),
            topic("changelog-ticks"),
            alerts
            | {"volatility": topic("volatility"), "forecasts": topic("forecasts")}
            | market_events
            | dead_letters,
            lambda partition: TickFold(partition, partitions=partitions, bundle=bundle),
        ),
        JobSpec(
            "rates",
            topic("rates"),
            topic("changelog-rates"),
            alerts | {"curves": topic("curves"), "forecasts": topic("forecasts")} | market_events | dead_letters,
            lambda partition: RateFold(partition, partitions=partitions, bundle=bundle),
        ),
        JobSpec(
            "positions",
            topic("positions"),
            topic("changelog-positions"),
            market_events | dead_letters,
            lambda partition: PositionFold(partition, partitions=partitions),
        ),
        JobSpec(
            "portfolios",
            topic("market-events"),
            topic("changelog-portfolios"),
            alerts | {"portfolio_risk": topic("portfolio-risk")} | dead_letters,
            lambda partition: PortfolioFold(partition, partitions=partitions, parameters=portfolios, topics=sources),
            MarketRows(sources),
        ),
    )


def create_app(settings: Settings, bundles: Bundles) -> JobsApp:
    """Return a worker's app, ready to start; nothing is connected yet."""
    specs = job_specs(settings, bundles)
    metrics = Metrics(settings.symbol_label_limit)
    for spec in specs:
        metrics.show_job(spec.name)
    manifest = bundles.transactions.manifest
    metrics.bundle.labels("transactions", manifest.name, bundles.transactions.version, manifest.model).set(1)
    if (credit := bundles.credit) is not None:
        metrics.bundle.labels("credit", credit.manifest.name, credit.version, credit.manifest.model).set(1)
    if (market := bundles.market) is not None:
        metrics.bundle.labels("market", market.manifest.name, market.version, "market").set(1)
    if manifest.reference is not None:
        metrics.show_reference(manifest.reference, manifest.features)
    return create_jobs_app(settings, specs, metrics)
