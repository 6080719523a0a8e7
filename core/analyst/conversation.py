"""What a Chat Completions request tells the analyst: the dataset, the question, the tools, the results so far."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from core.thread.opening import opening_of
from core.thread.turns import calls_with_results
from tools.sensors import Sensor, sensors_of
from tools.session import Channel

ASKS_FOR_A_QUESTION = "You propose the question a person asks about a recorded sensor session."
"""The first line of the system prompt that asks for a question instead of a turn."""


class Number(float):
    """A number of a result, with the digits it was written in, so that it is quoted as it stands."""

    text: str

    def __new__(cls, text: str) -> Number:
        """The number that these digits write."""
        number = super().__new__(cls, text)
        number.text = text
        return number

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
    transcript: str
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
                    channel
                    for sensor in self.sensors
                    for channel in sensor.channels
                    if {channel.name, sensor.name} & named
                )
        return ()

    def of(self, tool: str) -> tuple[Finding, ...]:
        """The successful findings of a tool."""
        return tuple(finding for finding in self.findings if finding.tool == tool and not finding.failed)


def read_request(body: Mapping[str, Any]) -> Conversation:
    """Read a request's body. Anything missing or odd reads as empty: the analyst then has less to go by."""
    messages = _without_examples([each for each in _list(body.get("messages")) if isinstance(each, dict)])
    first_reply = next((at for at, message in enumerate(messages) if message.get("role") == "assistant"), len(messages))
    opening = "\n\n".join(_text(message) for message in messages[:first_reply] if message.get("role") == "user")
    manifest = _manifest(opening)
    channels = _channels(manifest)
    findings = tuple(_with_units(finding, channels) for finding in _findings(messages))
    spoken = [at for at, message in enumerate(messages) if message.get("role") == "assistant"]
    later = messages[spoken[-1] + 1 :] if spoken else []
    return Conversation(
        system="\n".join(_text(message) for message in messages if message.get("role") in ("system", "developer")),
        opening=opening,
        dataset=str(manifest.get("dataset_name") or ""),
        labels=_labels(manifest) or _labels_told(findings),
        channels=channels,
        question=_question(opening),
        tools={tool.name: tool for tool in map(_offered, _list(body.get("tools"))) if tool.name},
        findings=findings,
        turns=len(spoken),
        transcript="\0".join(f"{message.get('role')}:{_text(message)}" for message in messages),
        nudge="\n".join(_text(message) for message in later if message.get("role") == "user"),
    )


def _without_examples(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages without whole threads that are shown as examples: instructions, then all from the last opening."""
    openings = [
        at
        for at, message in enumerate(messages)
        if message.get("role") == "user" and opening_of(_text(message)).manifest is not None
    ]
    spoken = any(message.get("role") == "assistant" for message in messages[: openings[-1]]) if openings else False
    if not spoken:
        return messages
    told = [message for message in messages[: openings[0]] if message.get("role") in ("system", "developer")]
    return [*told, *messages[openings[-1] :]]


def _findings(messages: Sequence[Mapping[str, Any]]) -> list[Finding]:
    findings: list[Finding] = []
    turn = -1
    for index, message in enumerate(messages):
        turn += message.get("role") == "assistant"
        for call, answer in calls_with_results(messages, index):
            function = call.get("function")
            if isinstance(function, dict) and answer is not None:
                arguments, result = _object(function.get("arguments")), _object(_text(messages[answer]))
                findings.append(Finding(str(function.get("name")), arguments, result, turn))
    return findings


def _with_units(finding: Finding, channels: Sequence[Channel]) -> Finding:
    """A finding with the units that a short result leaves to the manifest."""
    result = finding.result
    units = {sensor.name: sensor.unit for sensor in sensors_of(channels)}
    if finding.tool == "show_channel_stats" and "columns" in result and "unit" not in result:
        return replace(finding, result={**result, "unit": units})
    rows = result.get("sensors")
    if finding.tool == "detect_periodicity" and isinstance(rows, dict):
        told = {
            name: {"unit": units[name], **row} if isinstance(row, dict) and units.get(name) else row
            for name, row in rows.items()
        }
        return replace(finding, result={**result, "sensors": told})
    return finding


def _manifest(text: str) -> dict[str, Any]:
    """The first JSON object of the opening message."""
    start = text.find("{")
    while start >= 0:
        try:
            manifest, _ = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            return {}
        if isinstance(manifest, dict) and ("channels" in manifest or "activities" in manifest):
            return manifest
        start = text.find("{", start + 1)
    return {}


def _question(opening: str) -> str:
    """What follows the mark, or the last paragraph where there is no mark."""
    if (start := opening_of(opening).question_at) is not None:
        return " ".join(opening[start:].split())
    last = re.split(r"\n\s*\n", opening.strip())[-1].lstrip()
    return "" if last.startswith("{") or opening_of(last).manifest is not None else " ".join(last.split())


def _labels(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    listed = manifest.get("activities")
    values = listed.values() if isinstance(listed, dict) else _list(listed)
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value.strip()))


def _labels_told(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The labels that results name, for a manifest that lists none."""
    told: list[Any] = []
    for finding in findings:
        for key in ("labels", "distances", "votes"):
            names = finding.result.get(key)
            told += [*names] if isinstance(names, list | dict) else []
    return tuple(dict.fromkeys(label for label in told if isinstance(label, str) and label.strip()))


def _channels(manifest: Mapping[str, Any]) -> tuple[Channel, ...]:
    listed = manifest.get("channels")
    if isinstance(listed, dict) and listed and all(isinstance(names, list) for names in listed.values()):
        listed = [{"name": name, "unit": unit} for unit, names in listed.items() for name in names]
    if isinstance(listed, dict):
        listed = [{"name": name, **(about if isinstance(about, dict) else {})} for name, about in listed.items()]
    channels: list[Channel] = []
    for entry in _list(listed):
        about: Mapping[str, Any] = entry if isinstance(entry, dict) else {"name": entry}
        if isinstance(about.get("name"), str):
            unit, description = about.get("unit"), about.get("description")
            channels.append(
                Channel(
                    about["name"],
                    description if isinstance(description, str) else "",
                    unit if isinstance(unit, str) else "",
                )
            )
    return tuple(channels)


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
        frozenset(str(name) for name in _list(schema.get("required"))),
    )


def _object(text: Any) -> dict[str, Any]:
    if not isinstance(text, str):
        return text if isinstance(text, dict) else {}
    try:
        value = json.loads(text, parse_float=Number, parse_int=Number)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
