"""The verb `explain` of the command line: what an alert's score is made of, and what would have been none."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from aiokafka.errors import KafkaError
from rich.markup import escape

from schemas.alert import Alert
from stream.console import fail, load_settings, open_or_fail, output, unreachable
from stream.message_reader import read_messages

if TYPE_CHECKING:
    from stream.settings import Settings

_REPLAYS = {"customer": "riskstream replay", "symbol": "riskstream replay ticks", "curve": "riskstream replay rates"}
"""The verb that scores an alert again, by what it is on; portfolios are not replayed."""


def explain(
    alert_id: Annotated[str, typer.Argument(help="The id of an alert, as `riskstream alerts --json` shows it.")],
    bundle: Annotated[Path | None, typer.Option(help="The alert's bundle; RISKSTREAM_BUNDLE if none.")] = None,
) -> None:
    """Explain an alert: each feature's value, what is usual, what it added to the score, and that all of it adds up.

    Tells what would not have been an alert, too: a lower amount or, if none helps, usual features. That needs the
    bundle that the alert came of.

    Example: riskstream explain 5f1c0e7a9d3b4c21
    """
    from stream.explanation_text import explained_by, explanation_text

    settings = load_settings()
    shown = escape(repr(alert_id))
    try:
        alert = asyncio.run(_find(settings, alert_id))
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    if alert is None:
        raise fail(
            f"ALERT_ID {shown}: is not on {settings.topic('alerts')} at {settings.broker};"
            " `riskstream alerts --json` shows those that are"
        )
    if not alert.contributions:
        again = _REPLAYS.get(alert.entity_kind)
        raise fail(
            f"ALERT_ID {shown}: was published by a release that gave no contributions"
            + (f"; `{again}` scores it again" if again else "")
        )
    if alert.entity_kind != "customer":
        usual = {reason.feature: reason.usual_value for reason in alert.reasons}
        within = "Values within the limits, which are the usual values here, would not have been an alert"
        output.print(
            explanation_text(alert, usual, (within,) if alert.entity_kind == "symbol" else ()), highlight=False
        )
        return
    opened = open_or_fail(settings.bundle if bundle is None else bundle)
    if opened.version != alert.bundle_version:
        raise fail(
            f"bundle {opened.manifest.name} {opened.version}: is not that of the alert, {escape(alert.bundle_name)}"
            f" {escape(alert.bundle_version)}; name its folder by --bundle"
        )
    if not set(alert.features) == set(alert.contributions) == set(opened.manifest.features):
        raise fail(f"ALERT_ID {shown}: holds other features than its bundle, and is none of a worker's")
    output.print(explained_by(opened, alert), highlight=False)


async def _find(settings: "Settings", alert_id: str) -> Alert | None:
    async for alert in read_messages(
        Alert, settings.broker, settings.topic("alerts"), settings.partitions, follow=False
    ):
        if alert.alert_id == alert_id:
            return alert
    return None
