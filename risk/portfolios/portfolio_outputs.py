"""How the risk of portfolios, and alerts on them, are published."""

from risk.fold import Output
from risk.identity import alert_id
from risk.market.market_alert import ALERT_THRESHOLD, severity
from risk.portfolios.portfolio_alerts import Finding
from risk.portfolios.portfolio_parameters import PortfolioParameters
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.portfolio_risk import InterestRateRisk, MarketRisk, PortfolioRisk
from schemas.source import Source


class PortfolioOutputs:
    """Makes the outputs of one partition. The risk of an event and an alert on it have the same id."""

    def __init__(self, partition: int, parameters: PortfolioParameters) -> None:
        self._partition = partition
        self._bundle_name, self._bundle_version = parameters.bundle_name, parameters.bundle_version

    def risk(
        self,
        portfolio: str,
        event_id: str,
        as_of_ns: int,
        source: Source,
        risk: MarketRisk | InterestRateRisk,
    ) -> Output:
        """Return the output that tells a portfolio's risk."""
        identity = alert_id(event_id, portfolio, self._bundle_version)
        message = PortfolioRisk(
            schema_version=1,
            risk_id=identity,
            portfolio=portfolio,
            as_of_ns=as_of_ns,
            market=risk if isinstance(risk, MarketRisk) else None,
            interest_rates=risk if isinstance(risk, InterestRateRisk) else None,
            source=source,
            bundle_name=self._bundle_name,
            bundle_version=self._bundle_version,
        )
        return Output("portfolio_risk", self._partition, portfolio.encode(), encode(message), bytes.fromhex(identity))

    def alert(self, portfolio: str, event_id: str, as_of_ns: int, source: Source, finding: Finding) -> Output:
        """Return the alert on a finding."""
        identity = alert_id(event_id, portfolio, self._bundle_version)
        alert = Alert(
            schema_version=1,
            alert_id=identity,
            event_id=event_id,
            entity_kind="portfolio",
            entity_id=portfolio,
            event_time_ns=as_of_ns,
            source=source,
            score=finding.score,
            threshold=ALERT_THRESHOLD,
            outcome="review",
            severity=severity(finding.score),
            reasons=finding.reasons,
            bundle_name=self._bundle_name,
            bundle_version=self._bundle_version,
            usual_score=finding.usual_score,
            contributions=finding.contributions,
            features=finding.features,
        )
        return Output("alerts", self._partition, portfolio.encode(), encode(alert), bytes.fromhex(identity))
