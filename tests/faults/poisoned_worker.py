"""A worker whose core has faults: it raises on a customer at the first hop, and on a merchant at the second."""

from collections.abc import Sequence
from typing import Any

from risk.customer_profile import CustomerProfile
from risk.merchant_profile import MerchantProfile
from stream.settings import Settings
from stream.worker import run_worker

CUSTOMER, MERCHANT = "poison-customer", "poison-merchant"


class PoisonError(Exception):
    """What the core raises."""


def poison() -> None:
    """Make the profiles raise, after they have taken in what came before."""
    take_customers, take_merchants = CustomerProfile.advance, MerchantProfile.advance

    def customers(self: CustomerProfile, customer_id: Sequence[str], *columns: Any) -> Any:
        if CUSTOMER in customer_id:
            at = list(customer_id).index(CUSTOMER)
            take_customers(self, customer_id[:at], *(column[:at] for column in columns))
            raise PoisonError
        return take_customers(self, customer_id, *columns)

    def merchants(self: MerchantProfile, merchant_id: Sequence[str], *columns: Any) -> Any:
        if MERCHANT in merchant_id:
            at = list(merchant_id).index(MERCHANT)
            take_merchants(self, merchant_id[:at], *(column[:at] for column in columns))
            raise PoisonError
        return take_merchants(self, merchant_id, *columns)

    setattr(CustomerProfile, "advance", customers)  # noqa: B010
    setattr(MerchantProfile, "advance", merchants)  # noqa: B010


if __name__ == "__main__":
    poison()
    raise SystemExit(run_worker(Settings()))
