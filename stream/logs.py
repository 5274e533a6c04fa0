"""Structured logs: one JSON object a line, on standard error."""

import logging.config
import sys
from typing import Any

import structlog


def configure_logs(level: str) -> dict[str, Any]:
    """Send every log, the libraries' too, to standard error as JSON; return the same as a `logging` dictionary.

    Faust installs a logging configuration of its own when it starts: it is given the returned one.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    configuration: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*shared, structlog.stdlib.PositionalArgumentsFormatter()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"standard_error": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "json"}},
        "root": {"handlers": ["standard_error"], "level": level.upper()},
        "loggers": {
            # These tell of every fetch, commit and internal task; their warnings are kept.
            name: {"level": "WARNING"}
            for name in (
                *("aiokafka", "faust", "mode", "asyncio", "aiohttp.access"),
                # Faust logs the life of its services under the module of the class.
                *("stream.chunk_transport", "stream.jobs_app"),
            )
        },
    }
    logging.config.dictConfig(configuration)
    return configuration
