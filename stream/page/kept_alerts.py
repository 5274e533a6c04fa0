"""The newest alerts, as many as are kept, by arrival and by identity."""

from collections import deque
from dataclasses import dataclass

from schemas.alert import Alert
from stream.page.alert_filter import AlertFilter
from stream.page.alert_row import AlertRow


@dataclass(frozen=True, slots=True)
class KeptAlert:
    """An alert and its row."""

    row: AlertRow
    alert: Alert


class KeptAlerts:
    """The last `most` alerts; the oldest goes when one more comes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._alerts: deque[KeptAlert] = deque()
        self._by_id: dict[str, KeptAlert] = {}

    def __len__(self) -> int:
        return len(self._alerts)

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self._by_id

    def add(self, kept: KeptAlert) -> None:
        """Keep an alert whose identity is not kept yet."""
        self._alerts.append(kept)
        self._by_id[kept.alert.alert_id] = kept
        if len(self._alerts) > self._most:
            del self._by_id[self._alerts.popleft().alert.alert_id]

    def get(self, alert_id: str) -> KeptAlert | None:
        """Return an alert by its identity; None if it is not kept."""
        return self._by_id.get(alert_id)

    def page(self, wanted: AlertFilter, *, before: int | None, limit: int) -> tuple[list[AlertRow], int | None]:
        """Return rows, the newest first, of sequences below `before`, and the `before` of the next page, if any."""
        found: list[AlertRow] = []
        for kept in reversed(self._alerts):
            row = kept.row
            if (before is None or row.sequence < before) and wanted.takes(row):
                if len(found) == limit:
                    return found, found[-1].sequence
                found.append(row)
        return found, None

    def of_entity(self, kind: str, entity_id: str, limit: int) -> list[AlertRow]:
        """Return the newest alerts on an entity, the newest first."""
        wanted = AlertFilter(entity_kinds=frozenset((kind,)), entity=entity_id)
        return self.page(wanted, before=None, limit=limit)[0]
