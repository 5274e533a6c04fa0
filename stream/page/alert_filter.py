"""Which alerts a reader wants to see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from schemas.entity_kind import EntityKind
from schemas.outcome import Outcome
from schemas.severity import Severity
from stream.page.alert_row import AlertRow
from stream.page.request_error import RequestError

ENTITY_KINDS = get_args(EntityKind)
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What an alert must have, each of these; an empty one asks for nothing.

    `entity_kinds`, `severities`, `outcomes` and `reasons` name alternatives, `entity` is the whole identifier, and
    `text` occurs, in either case, in an identifier or in a reason.
    """

    entity_kinds: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    outcomes: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    entity: str = ""
    text: str = ""

    def takes(self, row: AlertRow) -> bool:
        """Tell whether an alert is wanted."""
        return (
            (not self.entity_kinds or row.entity_kind in self.entity_kinds)
            and (not self.severities or row.severity in self.severities)
            and (not self.outcomes or row.outcome in self.outcomes)
            and (not self.entity or row.entity_id == self.entity)
            and (not self.reasons or any(reason.code in self.reasons for reason in row.reasons))
            and (not self.text or self.text in searched(row))
        )


def searched(row: AlertRow) -> str:
    """Return the text that a row is searched in, without regard to case."""
    told = (row.entity_id, row.event_id, row.alert_id, *(f"{one.code}\n{one.text}" for one in row.reasons))
    return "\n".join(told).casefold()


def filter_of(query: Mapping[str, str]) -> AlertFilter:
    """Return the filter that a query asks for: alternatives are divided by commas.

    Raises RequestError, of status 400, for what cannot be.

    >>> filter_of({"severity": "high,critical"}).severities == {"high", "critical"}
    True
    """
    text = query.get("text", "")
    if len(text) > LONGEST_TEXT:
        raise RequestError(400, "text", text, f"search for {LONGEST_TEXT} characters at most")
    return AlertFilter(
        entity_kinds=_known(query, "entity_kind", ENTITY_KINDS),
        severities=_known(query, "severity", get_args(Severity)),
        outcomes=_known(query, "outcome", get_args(Outcome)),
        reasons=frozenset(_alternatives(query, "reason")),
        entity=query.get("entity", ""),
        text=text.casefold(),
    )


def _known(query: Mapping[str, str], field: str, known: tuple[str, ...]) -> frozenset[str]:
    asked = _alternatives(query, field)
    for one in asked:
        if one not in known:
            raise RequestError(400, field, one, f"choose from {', '.join(known)}")
    return frozenset(asked)


def _alternatives(query: Mapping[str, str], field: str) -> list[str]:
    return [one for one in query.get(field, "").split(",") if one]
