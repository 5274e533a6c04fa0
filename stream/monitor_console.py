"""The verb `riskstream monitor`."""

import typer
from aiokafka.errors import KafkaError

from stream.console import fail, load_settings, unreachable


def monitor() -> None:
    """Run the monitor until Ctrl-C or SIGTERM: how far groups are behind, and how good the alerts were, as metrics.

    One is enough, beside any number of workers: it joins no group and commits nothing. It logs JSON on standard error
    and serves /metrics, /live and /ready.

    Example: RISKSTREAM_MONITOR_WINDOW_DAYS=7 riskstream monitor
    """
    from stream.monitor.monitor import MonitorError, run_monitor
    from stream.topics import TopicError

    settings = load_settings()
    try:
        status = run_monitor(settings)
    except (MonitorError, TopicError) as wrong:
        raise fail(str(wrong)) from None
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    raise typer.Exit(status)
