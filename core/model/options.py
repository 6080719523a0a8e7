"""The options of how a model is asked, one table for settings, commands and the screen: how each is typed, and sent.

`core.settings_tables.ServingSettings` says what each means and which values it takes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from core.errors import UsageError
from core.settings_tables import ModelSettings, ServingSettings

FLAGS = {
    "temperature": ("--temperature", "NUMBER", "How freely the model chooses its words."),
    "max_tokens": ("--max-tokens", "N", "Tokens a message may have."),
    "top_p": ("--top-p", "SHARE", "Only the likeliest tokens that together have this probability."),
    "top_k": ("--top-k", "N", "Only so many of the likeliest tokens."),
    "min_p": ("--min-p", "SHARE", "Only tokens with this share of the likeliest one's probability."),
    "stop": ("--stop", "TEXT", "Where a message ends; may stand often."),
    "tool_choice": ("--tool-choice", "WAY", "`auto`, `none`, `required`, or the tool that must be called."),
    "parallel_tool_calls": ("--parallel-tool-calls", "yes|no", "Whether a message may hold several calls."),
    "response_format": ("--response-format", "JSON", "What the text must look like, as the server has it."),
    "extra_body": ("--extra-body", "JSON", "Further keys of the request."),
    "headers": ("--header", "NAME:VALUE", "A further header; `${NAME}` stands for a variable. May stand often."),
    "system_role": ("--system-role", "ROLE", "Who instructs: `system`, `developer`, `user`; `none` leaves it out."),
    "connect_timeout_sec": ("--connect-timeout", "SEC", "Given up when it is not reached in this time."),
    "first_token_timeout_sec": ("--first-token-timeout", "SEC", "Given up when silent so long before the first token."),
    "timeout_sec": ("--timeout", "SEC", "Given up when silent so long after it."),
    "price_in": ("--price-in", "NUMBER", "What a million tokens cost that the model reads."),
    "price_out": ("--price-out", "NUMBER", "What a million tokens cost that the model writes."),
}
"""Each option's flag, what stands for its value in the help, and what it is for. `--seed` and `--parallel` are declared
by each command: they decide of more than the request."""

TABLES = ("response_format", "extra_body", "headers")
"""Typed as a JSON object. Those of `[model]` and of an endpoint are one: an endpoint's keys go before."""
MERGED = ("extra_body", "headers")
OPTIONS = ServingSettings.__struct_fields__
"""Every option, in the order in which they are shown."""
RECORDED = ("top_p", "top_k", "min_p", "stop", "tool_choice", "parallel_tool_calls", "response_format")
"""What a request holds under its own name, and a turn's record of it, beside temperature, seed and max_tokens."""

_TYPES = get_type_hints(ServingSettings, include_extras=True)
_WAYS = {
    "stop": "a text, or a JSON list of texts",
    "parallel_tool_calls": "yes or no",
    "system_role": "system, developer, user or none",
    **dict.fromkeys(TABLES, "a JSON object"),
}


def read_option(name: str, text: str) -> Any:
    """The value that a person typed for an option; None for nothing. Raises UsageError: it takes no such value."""
    typed = text.strip()
    if not typed:
        return None
    try:
        value = _parsed(name, typed, text)
        value = msgspec.convert(value, _TYPES[name], strict=not isinstance(value, str))
    except (ValueError, msgspec.ValidationError) as error:
        raise UsageError(f"{name.replace('_', ' ')}: `{typed[:40]}` is not {_wanted(name, error)}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{name.replace('_', ' ')}: `{typed[:40]}` is not a number that can be used")
    return value


def _parsed(name: str, typed: str, text: str) -> Any:
    if name in TABLES or (name == "stop" and typed.startswith("[")):
        return json.loads(typed)
    if name == "stop":
        return text
    if name == "parallel_tool_calls":
        return {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}.get(
            typed.lower(), typed
        )
    return typed


def _wanted(name: str, error: Exception) -> str:
    if name in _WAYS:
        return _WAYS[name]
    words = str(error)
    limit = words.partition("` ")[2].partition(" - ")[0].removesuffix(".0") if words.startswith("Expected `") else ""
    return f"a number{f' {limit}' if limit.startswith(('>', '<')) else ''}"


def shown_option(value: Any) -> str:
    """An option's value as it is typed; empty where it is left to the server."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def with_options(settings: ModelSettings, *layers: Mapping[str, Any]) -> ModelSettings:
    """The settings with the values of each layer over those before it. None leaves what is there.

    Raises:
        UsageError: a value is none that the option takes.
    """
    for layer in layers:
        values = {name: value for name, value in layer.items() if value is not None}
        for name in MERGED:
            if name in values:
                values[name] = {**(getattr(settings, name) or {}), **values[name]}
        try:
            # structs.replace looks at no value, and what a command is given was never looked at
            settings = msgspec.convert({**msgspec.structs.asdict(settings), **values}, ModelSettings)
        except msgspec.ValidationError as error:
            raise UsageError(f"{_field(error)}: {str(error).partition(' - at')[0]}") from None
    return settings


def _field(error: Exception) -> str:
    return str(error).partition("`$.")[2].rstrip("`") or "an option"


def sent_options(settings: ModelSettings, *, tools: bool) -> dict[str, Any]:
    """The keys of a request that these settings ask for, `extra_body` apart. Of calls nothing is said without tools."""
    sent = {name: getattr(settings, name) for name in ("temperature", "seed", "max_tokens", *RECORDED)}
    if isinstance(settings.stop, str):
        sent["stop"] = [settings.stop]
    if settings.tool_choice not in (None, "auto", "none", "required"):
        sent["tool_choice"] = {"type": "function", "function": {"name": settings.tool_choice}}
    if not tools:
        sent["tool_choice"] = sent["parallel_tool_calls"] = None
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in sent.items() if value is not None
    }
