"""The page of settings, made from the fields of `stream.settings.Settings` and what is said below each."""

import ast
import inspect
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from reference_pages.markdown import code, page, table
from stream import settings
from stream.settings import Settings

READERS = {
    "broker": "all",
    "application_id": "worker, page, forward, `state rebuild`",
    "topic_prefix": "all, but `lag`",
    "partitions": "all, but `lag`",
    "replication_factor": "worker, monitor, forward, `topics`",
    "bundle": "worker, page, `replay`, `explain`, `state rebuild`",
    "credit_bundle": "worker, `state rebuild`",
    "market_bundle": "worker, `replay`, `market refit`, `state rebuild`",
    "checkpoint_interval_seconds": "worker",
    "session_timeout_seconds": "worker, forward",
    "instance_id": "worker",
    "publish_scores": "worker, monitor",
    "web_host": "worker",
    "web_port": "worker",
    "page_host": "page",
    "page_port": "page",
    "page_token": "page",
    "page_guarded": "page",
    "workers": "page",
    "monitor_host": "monitor",
    "monitor_port": "monitor",
    "monitor_window_days": "monitor",
    "webhook_secret": "`forward webhook`",
    "symbol_label_limit": "worker",
    "log_level": "worker, page, monitor, forward",
}
"""Which processes and verbs a setting makes a difference to."""


def settings_page() -> str:
    """Return the page."""
    meanings = field_docstrings()
    rows = [
        [code(f"RISKSTREAM_{name.upper()}"), _default(field), _meaning(field, meanings[name]), READERS[name]]
        for name, field in Settings.model_fields.items()
    ]
    return page(
        "Settings",
        "Settings come from the environment alone. Every process and verb reads the same ones and takes up those that "
        "concern it; a value that is not permitted ends it with status 2 and one line that names the variable.",
        table(["variable", "default", "meaning", "read by"], rows),
        "Processes are those of `riskstream run` (worker), `riskstream page`, `riskstream monitor` and "
        "`riskstream forward`; the other words are verbs of the [command line](command-line.md).",
    )


def field_docstrings() -> dict[str, str]:
    """Return the text below each field of the settings.

    >>> field_docstrings()["topic_prefix"]
    "Put before every topic's name."
    """
    (made,) = (one for one in ast.parse(inspect.getsource(settings)).body if isinstance(one, ast.ClassDef))
    return {
        field.target.id: " ".join(told.value.value.split())
        for field, told in zip(made.body, made.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(told, ast.Expr)
        and isinstance(told.value, ast.Constant)
        and isinstance(told.value.value, str)
    }


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    return code(value) or "(none)"


def _meaning(field: FieldInfo, told: str) -> str:
    if field.annotation is bool:
        return f"{told} `true` or `false`."
    limits = [one for part in field.metadata for one in _limits(part)]
    return f"{told} {', '.join(limits)}." if limits else told


def _limits(part: Any) -> list[str]:
    if (pattern := getattr(part, "pattern", None)) is not None:
        return [f"Matches {code(pattern)}"]
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    return [f"{sign} {getattr(part, name):,}" for name, sign in signs.items() if getattr(part, name, None) is not None]
