"""Tool calls that a model wrote into its text, because its server has no parser for them.

Chat models write a call in tokens of their own template; the server's tool parser makes `tool_calls` of it. Without
one the call arrives as text. The forms are those of Hermes and Qwen (`<tool_call>`, `<function=…>`), Llama (bare JSON,
`<|python_tag|>`), Mistral (`[TOOL_CALLS]`) and gpt-oss (Harmony's `<|channel|>`), as their chat templates write them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_CHARACTERS = 64 * 1024
"""Text that is looked through for calls; more is no call."""

MAX_OBJECTS = 500
"""Braces that are tried as the beginning of a call."""

_MARKS = (
    "<tool_call>", "<function=", "[TOOL_CALLS]", "<|python_tag|>", "<|channel|>",
    "<｜tool▁calls▁begin｜>", "<|tool_calls_section_begin|>",
)  # fmt: skip
"""What stands in no text that is meant to be read."""

_FUNCTION = re.compile(r"<function=([\w.\-]+)>(.*?)(?:</function>|(?=<function=)|</tool_call>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([\w.\-]+)>\n?(.*?)\n?(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL)
_MISTRAL = re.compile(
    r"\[TOOL_CALLS\]\s*([\w.\-]+)(?:\[CALL_ID\]\w+)?\[ARGS\]\s*(\{.*?\})(?=\s*(?:\[TOOL_CALLS\]|\Z))", re.DOTALL
)
_HARMONY = re.compile(
    r"(?:<\|start\|>assistant\s*)?(?:<\|channel\|>[^<]*?)?\bto=(?:functions\.)?([\w.\-]+)"
    r"(?:[^<]|<\|(?:channel|constrain)\|>)*<\|message\|>(.*?)(?:<\|call\|>|<\|end\|>|(?=<\|start\|>)|\Z)",
    re.DOTALL,
)
_HARMONY_ASIDE = re.compile(r"<\|channel\|>analysis<\|message\|>.*?(?:<\|end\|>|(?=<\|start\|>)|\Z)", re.DOTALL)
_HARMONY_TOKENS = re.compile(r"<\|start\|>assistant|<\|channel\|>(?:final|commentary)?|<\|(?:message|end|return)\|>")
_WRAPPING = re.compile(
    r"</?tool_calls?>|```(?:json|tool_call|tool_code)?\s*```|\[TOOL_CALLS\]|<\|python_tag\|>|<\|e(?:om|ot)_id\|>|<\|im_end\|>"
)
_EMPTY_LIST = re.compile(r"\[[\s,;]*\]|^[\s,;]+$")
_NAME_KEYS, _ARGUMENT_KEYS = ("name", "function", "tool", "tool_name"), ("arguments", "parameters", "args", "input")


@dataclass(frozen=True, slots=True)
class TextCall:
    """A call as it was written; `arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class TextCalls:
    """What a text holds beside what it says."""

    calls: tuple[TextCall, ...]
    """Empty where a template's tokens stand in the text and no call can be read from them."""
    rest: str
    """The text without them."""


def tool_names(schemas: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The names of the tools that a model is offered."""
    functions = [schema.get("function") for schema in schemas]
    return frozenset(
        str(function["name"]) for function in functions if isinstance(function, Mapping) and "name" in function
    )


def text_calls(text: str, offered: Collection[str]) -> TextCalls | None:
    """The calls written in a text; None when it is just text.

    JSON counts as a call when it names a tool that is `offered`; between a template's own tokens any name does.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    marked = any(mark in text for mark in _MARKS)
    for read in (_harmony, _mistral, _functions) if marked else ():
        written = read(text)
        if written.calls:
            return written
    written = _json_calls(text, None if marked else offered)
    return written if written.calls or marked else None


def _harmony(text: str) -> TextCalls:
    if "<|message|>" not in text:
        return TextCalls((), text)
    calls = tuple(TextCall(match[1], match[2].strip() or "{}") for match in _HARMONY.finditer(text))
    rest = _HARMONY_TOKENS.sub("", _HARMONY_ASIDE.sub("", _HARMONY.sub("", text)))
    return TextCalls(calls, rest.strip())


def _mistral(text: str) -> TextCalls:
    calls = tuple(TextCall(match[1], match[2]) for match in _MISTRAL.finditer(text))
    return TextCalls(calls, _MISTRAL.sub("", text).strip())


def _functions(text: str) -> TextCalls:
    calls: list[TextCall] = []
    for match in _FUNCTION.finditer(text):
        parameters = {part[1]: _value(part[2]) for part in _PARAMETER.finditer(match[2])}
        arguments = json.dumps(parameters, ensure_ascii=False) if parameters else match[2].strip() or "{}"
        calls.append(TextCall(match[1], arguments))
    return TextCalls(tuple(calls), _unwrapped(_FUNCTION.sub("", text)))


def _value(text: str) -> Any:
    """A parameter's value: numbers, lists and the like as the JSON they are, everything else as text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _json_calls(text: str, offered: Collection[str] | None) -> TextCalls:
    calls: list[TextCall] = []
    rest, end = "", 0
    for start, stop, value in _objects(text):
        call = _as_call(value, offered)
        if call is not None:
            calls.append(call)
            rest, end = rest + text[end:start], stop
    return TextCalls(tuple(calls), _unwrapped(rest + text[end:]) if calls else text)


def _objects(text: str) -> Iterator[tuple[int, int, Any]]:
    """The JSON objects that stand in a text, outermost ones only, with where they begin and end."""
    decoder, position = json.JSONDecoder(), 0
    for _ in range(MAX_OBJECTS):
        start = text.find("{", position)
        if start < 0:
            return
        try:
            value, position = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            position = start + 1
            continue
        yield start, position, value


def _as_call(value: Any, offered: Collection[str] | None) -> TextCall | None:
    if not isinstance(value, dict):
        return None
    function = value.get("function")
    if isinstance(function, dict):
        value = function
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), "")
    key = next((key for key in _ARGUMENT_KEYS if key in value), "")
    if not name or (offered is not None and name not in offered):
        return None
    if not key:
        return TextCall(name, "{}") if value.keys() <= {*_NAME_KEYS, "id", "type"} else None
    arguments = value[key]
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return TextCall(name, arguments)


def _unwrapped(text: str) -> str:
    return _EMPTY_LIST.sub("", _WRAPPING.sub("", text)).strip()
