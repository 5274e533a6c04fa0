"""Makes the machine-readable contract from the message types: JSON Schemas, and an AsyncAPI 3 document.

`python -m schemas.documents` writes them beside this file; a test holds them to the types.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from schemas.alert import Alert
from schemas.application import Application
from schemas.curve import Curve
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision
from schemas.forecast import Forecast
from schemas.forward_dead_letter import ForwardDeadLetter
from schemas.label import Label
from schemas.portfolio_risk import PortfolioRisk
from schemas.position import Position
from schemas.rate import Rate
from schemas.refit import Refit
from schemas.score import Score
from schemas.tick import Tick
from schemas.transaction import Transaction
from schemas.volatility import Volatility

FOLDER = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI_VERSION = "3.0.0"
CONTRACT_VERSION = "1.0.0"

CHANNELS: dict[str, tuple[tuple[type[msgspec.Struct], ...], str, str]] = {
    "transactions": ((Transaction,), "receive", "customer_id"),
    "labels": ((Label,), "receive", "anything; it goes by the merchant_id in it"),
    "ticks": ((Tick, Refit), "receive", "symbol"),
    "applications": ((Application,), "receive", "applicant_id"),
    "rates": ((Rate,), "receive", "currency"),
    "positions": ((Position,), "receive", "portfolio"),
    "alerts": ((Alert,), "send", "entity_id"),
    "scores": ((Score,), "send", "customer_id"),
    "volatility": ((Volatility,), "send", "symbol"),
    "forecasts": ((Forecast,), "send", "symbol"),
    "curves": ((Curve,), "send", "currency"),
    "portfolio-risk": ((PortfolioRisk,), "send", "portfolio"),
    "decisions": ((Decision,), "send", "applicant_id"),
    "deadletter": ((DeadLetter,), "send", "none"),
    "forward-deadletter": ((ForwardDeadLetter,), "send", "the key of the message given up"),
}
"""Each topic's messages, whether riskstream receives or sends them, and what its records are keyed by."""


def json_schema(message: type[msgspec.Struct]) -> dict[str, Any]:
    """Return a message's JSON Schema, draft 2020-12, whole in itself; unknown fields are permitted.

    >>> json_schema(Tick)["properties"]["bid"]["exclusiveMinimum"]
    0.0
    """
    (reference,), components = msgspec.json.schema_components([message], ref_template="#/$defs/{name}")
    root = components.pop(reference["$ref"].rpartition("/")[2])
    return {"$schema": DIALECT, **root, **({"$defs": components} if components else {})}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document of all topics, as riskstream sees them."""
    types = [message for messages, _, _ in CHANNELS.values() for message in messages]
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "riskstream",
            "version": CONTRACT_VERSION,
            "description": "Risk scores on live streams over Kafka.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            name: {
                "address": name,
                "description": f"{messages[0].__doc__} Records are keyed by {key}.",
                "messages": {one.__name__: {"$ref": f"#/components/messages/{one.__name__}"} for one in messages},
                "bindings": {"kafka": {"topic": name, "bindingVersion": "0.5.0"}},
            }
            for name, (messages, _, key) in CHANNELS.items()
        },
        "operations": {
            f"{action}-{name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{one.__name__}"} for one in messages],
            }
            for name, (messages, action, _) in CHANNELS.items()
        },
        "components": {
            "messages": {
                message.__name__: {
                    "name": message.__name__,
                    "contentType": "application/json",
                    "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
                    "bindings": {
                        "kafka": {
                            "key": {"type": "string", "description": f"Keyed by {key}."},
                            "bindingVersion": "0.5.0",
                        }
                    },
                }
                for messages, _, key in CHANNELS.values()
                for message in messages
            },
            "schemas": components,
        },
    }


def documents() -> dict[str, str]:
    """Return every document's text by its path in this folder."""
    texts = {"asyncapi.json": asyncapi()}
    for messages, _, _ in CHANNELS.values():
        texts |= {f"json/{message.__name__}.schema.json": json_schema(message) for message in messages}
    return {path: json.dumps(content, indent=2) + "\n" for path, content in texts.items()}


def main() -> None:
    """Write the documents."""
    for path, text in documents().items():
        (FOLDER / path).parent.mkdir(exist_ok=True)
        (FOLDER / path).write_text(text)


if __name__ == "__main__":
    main()
