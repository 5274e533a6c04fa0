"""The bundles that a worker scores with, as the settings name them."""

from dataclasses import dataclass
from pathlib import Path

from risk.bundle import Bundle, BundleError
from risk.market.market_bundle import MarketBundle
from risk.table_bundle import TableBundle
from stream.bundle_files import read_bundle, read_market_bundle, read_table_bundle
from stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Bundles:
    """Verified bundles: of transactions, of credit applications and of markets, each None where there is none."""

    transactions: Bundle
    credit: TableBundle | None = None
    market: MarketBundle | None = None

    def all(self) -> list[Bundle | TableBundle | MarketBundle]:
        """Return those that there are."""
        return [one for one in (self.transactions, self.credit, self.market) if one is not None]


def read_bundles(settings: Settings) -> Bundles:
    """Return the verified bundles that the settings name.

    Raises BundleError, its message beginning with the variable where that is not RISKSTREAM_BUNDLE.
    """
    credit = market = None
    transactions = read_bundle(settings.bundle)
    if settings.credit_bundle:
        try:
            credit = read_table_bundle(Path(settings.credit_bundle))
        except BundleError as wrong:
            raise BundleError(f"RISKSTREAM_CREDIT_BUNDLE: {wrong.field}", wrong.value, wrong.remedy) from wrong
    if settings.market_bundle:
        market = read_named_market_bundle(settings)
    return Bundles(transactions, credit, market)


def read_named_market_bundle(settings: Settings) -> MarketBundle:
    """Return the verified bundle that RISKSTREAM_MARKET_BUNDLE names; raises BundleError, beginning with that."""
    try:
        return read_market_bundle(Path(settings.market_bundle))
    except BundleError as wrong:
        raise BundleError(f"RISKSTREAM_MARKET_BUNDLE: {wrong.field}", wrong.value, wrong.remedy) from wrong
