"""What is wrong with a request, as the page answers it."""

from typing import Any


class RequestError(Exception):
    """A request that is not answered: the status of HTTP, the field that is wrong, its value, and the remedy.

    >>> RequestError(400, "limit", "x", "give a number").body()
    {'error': {'field': 'limit', 'value': 'x', 'remedy': 'give a number'}}
    """

    def __init__(self, status: int, field: str, value: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.status = status
        self.field = field
        self.value = value
        self.remedy = remedy

    def body(self) -> dict[str, Any]:
        """Return the answer's body; a long value is cut."""
        return {"error": {"field": self.field, "value": self.value[:200], "remedy": self.remedy}}
