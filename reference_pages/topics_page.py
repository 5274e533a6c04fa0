"""The page of topics and their messages, made from the AsyncAPI document, the topics' settings, and real messages."""

import json
from pathlib import Path
from typing import Any

from reference_pages.markdown import code, page, table
from schemas.documents import asyncapi
from stream.topics import topics

EXAMPLES = Path(__file__).parent / "examples"
"""A message of each type, as it lies on its topic."""

_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def topics_page() -> str:
    """Return the page."""
    document = asyncapi()
    configs = {topic.name: topic.config for topic in topics("", 1, 1)}
    channels = document["channels"]
    internal = [name for name in configs if name not in channels]
    sections = [_channel(document, name, configs[name]) for name in channels]
    nested = sorted(set(document["components"]["schemas"]) - set(document["components"]["messages"]))
    return page(
        "Topics and schemas",
        "Every topic of riskstream, from [`schemas/asyncapi.json`](../../schemas/asyncapi.json), an AsyncAPI 3 "
        "document, and from what `riskstream topics` sets. [Messages](../messages.md) tells what fields mean, and what "
        "a producer and a consumer may rely on. All topics have the same number of partitions, "
        "`RISKSTREAM_PARTITIONS`, since what goes out keeps the partition of what came in, "
        "`RISKSTREAM_REPLICATION_FACTOR` copies, and names that begin with `RISKSTREAM_TOPIC_PREFIX`. What the table "
        "does not set is the broker's default: of `retention.ms`, 7 days.",
        table(
            ["topic", "riskstream", "keyed by", "messages", "topic settings"],
            [
                [
                    f"[`{name}`](#{name})",
                    _action(document, name),
                    _key(document, name),
                    ", ".join(code(one) for one in channels[name]["messages"]),
                    _config(configs[name]),
                ]
                for name in channels
            ],
        ),
        *sections,
        "## Parts of messages",
        *(_fields(document, name, level=3) for name in nested),
        "## Internal topics",
        "Their form may change with any release; nobody else should read or write them.",
        table(["topic", "topic settings"], [[code(name), _config(configs[name])] for name in internal]),
    )


def _channel(document: dict[str, Any], name: str, config: dict[str, str]) -> str:
    channel = document["channels"][name]
    parts = [f"## {name}", f"riskstream **{_action(document, name)}** these; keyed by {_key(document, name)}."]
    if config:
        parts.append(f"Topic settings: {_config(config)}.")
    for message in channel["messages"]:
        parts.append(_fields(document, message, level=3))
        parts.append(_example(message))
    return "\n\n".join(parts)


def _action(document: dict[str, Any], name: str) -> str:
    return "reads" if f"receive-{name}" in document["operations"] else "writes"


def _key(document: dict[str, Any], name: str) -> str:
    first = next(iter(document["channels"][name]["messages"]))
    told: str = document["components"]["messages"][first]["bindings"]["kafka"]["key"]["description"]
    key = told.removeprefix("Keyed by ").removesuffix(".")
    return code(key) if " " not in key and key != "none" else {"none": "nothing"}.get(key, key)


def _config(config: dict[str, str]) -> str:
    return ", ".join(code(f"{name}={value}") for name, value in config.items())


def _fields(document: dict[str, Any], name: str, level: int) -> str:
    schema = document["components"]["schemas"][name]
    rows = [
        [code(field), _type(part), "" if field in schema.get("required", []) else "optional", _told(part)]
        for field, part in schema.get("properties", {}).items()
    ]
    title = f"{'#' * level} {name}"
    return "\n\n".join([title, schema.get("description", ""), table(["field", "type", "", "meaning and limits"], rows)])


def _type(part: dict[str, Any]) -> str:
    """Return a field's type, with a link to its fields where it is a part of its own."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in part:
        return ", ".join(code(one) for one in part["enum"])
    if "const" in part:
        return code(part["const"])
    if "anyOf" in part:
        return " or ".join(_type(one) for one in part["anyOf"])
    if part.get("type") == "array":
        return f"list of {_type(part['items'])}" if isinstance(part.get("items"), dict) else "list"
    if part.get("type") == "object" and isinstance(part.get("additionalProperties"), dict):
        return f"map to {_type(part['additionalProperties'])}"
    kind = str(part.get("type", "any"))
    return "text in base64" if part.get("contentEncoding") == "base64" else {"string": "text"}.get(kind, kind)


def _told(part: dict[str, Any]) -> str:
    told = [part["description"]] if "description" in part else []
    if "description" not in part:
        told += [f"{sign} {part[name]:,}" for name, sign in _LIMITS.items() if name in part]
        if "pattern" in part:
            told.append(code(part["pattern"]))
        if "maxLength" in part:
            told.append(f"at most {part['maxLength']} characters")
    if "default" in part and part["default"] not in (None, ""):
        told.append(f"default {code(json.dumps(part['default']))}")
    return "; ".join(told)


def _example(message: str) -> str:
    content = json.loads((EXAMPLES / f"{message}.json").read_text())
    text = json.dumps(content, indent=2, ensure_ascii=False)
    shown = "\n".join(f"    {line}" for line in text.splitlines())
    return f'??? example "A {message}"\n\n    ```json\n{shown}\n    ```'
