"""The page of the command line, made from what each verb's `--help` says."""

import re
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from reference_pages.markdown import code, page, table
from riskstream import main

_KINDS = {str: "text", int: "integer", float: "number", Path: "path"}


def command_line_page() -> str:
    """Return the page."""
    verbs = verbs_of(typer.main.get_command(main))
    listed = table(["verb", "what it does"], [[f"[`{path}`](#{_anchor(path)})", _first(one)] for path, one in verbs])
    return page(
        "Command line",
        "Every verb, as it tells by `--help`. What cannot be used ends a verb with status 2 and one line "
        "that names the field, its value and the remedy. [Settings](settings.md) come from the environment.",
        listed,
        *(_section(path, one) for path, one in verbs),
    )


def verbs_of(command: Any, path: str = "riskstream") -> list[tuple[str, Any]]:
    """Return every verb with its words, such as `riskstream bundle show`; what holds others is no verb itself."""
    if not hasattr(command, "commands"):
        return [(path, command)]
    return [verb for name, one in command.commands.items() for verb in verbs_of(one, f"{path} {name}")]


def _section(path: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    usage = " ".join([path, *(_placeholder(one) for one in arguments), *(["[OPTIONS]"] if options else [])])
    text, examples = _without_examples(command.help)
    parts = [f"## {path}", f"```console\n$ {usage}\n```", text]
    if arguments:
        parts.append(table(["argument", "values", "default", "meaning"], [_parameter(one) for one in arguments]))
    if options:
        parts.append(table(["option", "values", "default", "meaning"], [_parameter(one) for one in options]))
    shown = "\n".join(f"$ {one}" for one in examples)
    return "\n\n".join([*parts, f"For example:\n\n```console\n{shown}\n```"])


def _parameter(parameter: Any) -> list[str]:
    names = parameter.opts if parameter.param_type_name == "option" else [_placeholder(parameter)]
    default = parameter.default
    if default is None or default is False or default == () or callable(default):
        shown = "required" if parameter.required else ""
    else:
        shown = code(getattr(default, "value", default))
    return [", ".join(code(one) for one in names), _values(parameter), shown, parameter.help or ""]


def _values(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    if get_origin(kind) is list:
        (kind,) = get_args(kind)
    if kind is bool:
        return ""
    if get_origin(kind) is Literal:
        return ", ".join(code(one) for one in get_args(kind))
    if issubclass(kind, Enum):
        return ", ".join(code(one.value) for one in kind)
    limits = [("≥", parameter.min), ("≤", parameter.max)]
    return ", ".join([_KINDS[kind], *(f"{sign} {limit:,}" for sign, limit in limits if limit is not None)])


def _placeholder(argument: Any) -> str:
    if argument.metavar:
        return str(argument.metavar)
    name = str(argument.name).upper()
    return name if argument.required else f"[{name}]"


def _without_examples(text: str) -> tuple[str, list[str]]:
    """Return a help text without its examples, and those; an example may go over several lines."""
    found = re.findall(r"(?m)^Example: ((?:.+\n?)+)", text)
    return re.sub(r"(?m)^Example: (?:.+\n?)+", "", text).strip(), [" ".join(one.split()) for one in found]


def _first(command: Any) -> str:
    return str(command.help).partition("\n\n")[0]


def _anchor(path: str) -> str:
    return path.replace(" ", "-")
