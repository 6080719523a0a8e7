"""What a Chat Completions request tells the analyst: the dataset, the question, the tools, the results so far."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from core.thread.opening import opening_of
from tools.sensors import Sensor, sensors_of
from tools.session import Channel

ASKS_FOR_A_QUESTION = "You propose the question a person asks about a recorded sensor session."
"""The first line of the system prompt that asks for a question instead of a turn."""


class Number(float):
    """A number of a result, with the digits it was written in, so that it is quoted as it stands."""

    text: str

    def __new__(cls, text: str) -> Number:
        """The number that these digits write."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __format__(self, spec: str) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Finding:
    """One call that was made and what it gave."""

    tool: str
    arguments: Mapping[str, Any]
    result: Mapping[str, Any]
    """Empty for a result that is no JSON object."""
    turn: int
    """The assistant message it belongs to, from 0."""

    @property
    def error(self) -> str:
        """Why the call failed; empty when it did not."""
        return str(self.result.get("error", "no usable result")) if self.failed else ""

    @property
    def failed(self) -> bool:
        """Whether the result is an error or cannot be read."""
        return not self.result or "error" in self.result


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool of the request."""

    name: str
    parameters: frozenset[str]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The request, read."""

    system: str
    opening: str
    """All that the user said before the assistant first spoke."""
    dataset: str
    labels: tuple[str, ...]
    channels: tuple[Channel, ...]
    question: str
    tools: Mapping[str, Offered]
    findings: tuple[Finding, ...]
    turns: int
    """Assistant messages so far."""
    said: str
    """Everything in the request that matters, as one text: the source of deterministic variety."""
    nudge: str = ""
    """What the user said after the assistant last spoke."""

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """The sensors the manifest's channels make up."""
        return sensors_of(self.channels)

    @property
    def present(self) -> tuple[Channel, ...]:
        """The channels that a result showed to hold data in the session; empty while none did."""
        for finding in self.of("show_channel_stats"):
            rows = finding.result.get("channels") or finding.result.get("sensors")
            if "columns" in finding.result and isinstance(rows, dict):
                named = {str(name).removesuffix(" magnitude") for name in rows}
                return tuple(
                    one for sensor in self.sensors for one in sensor.channels if {one.name, sensor.name} & named
                )
        return ()

    def of(self, tool: str) -> tuple[Finding, ...]:
        """The successful findings of a tool."""
        return tuple(one for one in self.findings if one.tool == tool and not one.failed)


def read_request(body: Mapping[str, Any]) -> Conversation:
    """Read a request's body. Anything missing or odd reads as empty: the analyst then has less to go by."""
    messages = [one for one in _list(body.get("messages")) if isinstance(one, dict)]
    first_reply = next((at for at, one in enumerate(messages) if one.get("role") == "assistant"), len(messages))
    opening = "\n\n".join(_text(one) for one in messages[:first_reply] if one.get("role") == "user")
    manifest = _manifest(opening)
    findings = tuple(_findings(messages))
    spoken = [at for at, one in enumerate(messages) if one.get("role") == "assistant"]
    later = messages[spoken[-1] + 1 :] if spoken else []
    return Conversation(
        system="\n".join(_text(one) for one in messages if one.get("role") in ("system", "developer")),
        opening=opening,
        dataset=str(manifest.get("dataset_name") or ""),
        labels=_labels(manifest) or _labels_told(findings),
        channels=_channels(manifest),
        question=_question(opening),
        tools={one.name: one for one in map(_offered, _list(body.get("tools"))) if one.name},
        findings=findings,
        turns=len(spoken),
        said="\0".join(f"{one.get('role')}:{_text(one)}" for one in messages),
        nudge="\n".join(_text(one) for one in later if one.get("role") == "user"),
    )


def _findings(messages: Sequence[Mapping[str, Any]]) -> list[Finding]:
    answers: dict[str, str] = {}
    for one in messages:
        if one.get("role") == "tool":
            answers.setdefault(str(one.get("tool_call_id")), _text(one))
    found: list[Finding] = []
    turn = -1
    for one in messages:
        if one.get("role") != "assistant":
            continue
        turn += 1
        for call in _list(one.get("tool_calls")):
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and str(call.get("id")) in answers:
                arguments = _object(function.get("arguments"))
                result = _object(answers[str(call.get("id"))])
                found.append(Finding(str(function.get("name")), arguments, result, turn))
    return found


def _manifest(text: str) -> dict[str, Any]:
    """The first JSON object of the opening message."""
    start = text.find("{")
    while start >= 0:
        try:
            found, _ = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            return {}
        if isinstance(found, dict) and ("channels" in found or "activities" in found):
            return found
        start = text.find("{", start + 1)
    return {}


def _question(opening: str) -> str:
    """What follows the mark, or the last paragraph where there is no mark."""
    if (start := opening_of(opening).query_at) is not None:
        return " ".join(opening[start:].split())
    last = re.split(r"\n\s*\n", opening.strip())[-1].lstrip()
    return "" if last.startswith("{") or opening_of(last).manifest is not None else " ".join(last.split())


def _labels(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    listed = manifest.get("activities")
    values = listed.values() if isinstance(listed, dict) else _list(listed)
    return tuple(dict.fromkeys(one for one in values if isinstance(one, str) and one.strip()))


def _labels_told(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The labels that results name, for a manifest that lists none."""
    told: list[Any] = []
    for finding in findings:
        for key in ("labels", "distances", "votes"):
            names = finding.result.get(key)
            told += [*names] if isinstance(names, list | dict) else []
    return tuple(dict.fromkeys(one for one in told if isinstance(one, str) and one.strip()))


def _channels(manifest: Mapping[str, Any]) -> tuple[Channel, ...]:
    listed = manifest.get("channels")
    if isinstance(listed, dict):
        listed = [{"name": name, **(about if isinstance(about, dict) else {})} for name, about in listed.items()]
    found: list[Channel] = []
    for one in _list(listed):
        about: Mapping[str, Any] = one if isinstance(one, dict) else {"name": one}
        if isinstance(about.get("name"), str):
            unit, description = about.get("unit"), about.get("description")
            found.append(
                Channel(
                    about["name"],
                    description if isinstance(description, str) else "",
                    unit if isinstance(unit, str) else "",
                )
            )
    return tuple(found)


def _offered(tool: Any) -> Offered:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return Offered("", frozenset(), frozenset())
    parameters = function.get("parameters")
    schema: Mapping[str, Any] = parameters if isinstance(parameters, dict) else {}
    properties = schema.get("properties")
    return Offered(
        str(function.get("name") or ""),
        frozenset(properties if isinstance(properties, dict) else ()),
        frozenset(str(one) for one in _list(schema.get("required"))),
    )


def _object(text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        return text if isinstance(text, dict) else {}
    try:
        found = json.loads(text, parse_float=Number, parse_int=Number)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
