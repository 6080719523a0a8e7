"""Whatever a folder holds, what every profile writes can be loaded and holds every call; what cannot leave is named."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.export.profiles import PROFILES
from core.export.report import ExportReport, ExportRequest, NothingToExportError
from core.export.run import export
from core.listing.index import summaries

from .threads import TOOLS, Document, document, workspace

ODD_VALUES: list[Any] = [
    None, True, 0, -1.5, "", "x", "\ud800", "[]", '{"a": 1}', json.dumps(TOOLS), [], ["x"], [None], {}, {"a": []},
    [{"type": "text", "text": "part"}], {"name": "compute_spectrum", "arguments": "{}"}, 10**400,
]  # fmt: skip
ODD_KEYS = ("tools", "tool_calls", "function_call", "content", "arguments", "alternatives", "weight", "train", "stale")
COUNT = 250


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a document with each of its keys."""
    if isinstance(value, dict | list):
        members: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        for key, member in members:
            yield value, key
            yield from places(member)


def mutated(chance: random.Random, number: int) -> str:
    """A thread's file after one to three changes somewhere in it."""
    thread = document(number, session=f"s{number % 7}")
    thread["alternatives"] = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        container, key = chance.choice(list(places(thread)))
        match chance.choice(("replace", "replace", "delete", "add")):
            case "delete":
                del container[key]
            case "add" if isinstance(container, dict):
                container[chance.choice(ODD_KEYS)] = copy.deepcopy(chance.choice(ODD_VALUES))
            case _:
                container[key] = copy.deepcopy(chance.choice(ODD_VALUES))
    text = json.dumps(thread)
    match chance.randrange(12):
        case 0:
            text = text.replace('"arguments": "{', '"arguments": "[' + "[" * 3000, 1)
        case 1:
            text = text.replace('"messages":', '"messages": [], "messages":', 1)
        case 2:
            text = text[: chance.randrange(len(text))]
        case 3:
            text = text.replace('"num_turns": 2', f'"num_turns": {"7" * 5000}')
        case _:
            pass
    return text


def odd_ones() -> Iterator[tuple[str, Document]]:
    """Forms that folders of other programs hold."""
    call = {"name": "show_channel_stats", "arguments": "{}"}
    yield "tools_as_text", {**document(1), "tools": json.dumps(TOOLS)}
    yield "tools_of_two_kinds", {**document(2), "tools": [TOOLS[0], "compute_spectrum"]}
    legacy = document(3)
    legacy["messages"][1:4] = [
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": call["name"], "content": "3"},
    ]
    yield "legacy", legacy
    yield "legacy_beside_calls", {**document(4), "messages": [*document(4)["messages"][:-1], legacy["messages"][1],
                                                             legacy["messages"][-1]]}  # fmt: skip


def exported(space: Any, request: ExportRequest) -> ExportReport:
    try:
        return export(space, request)
    except NothingToExportError as error:
        return error.report


def calls_in(row: Any) -> int:
    """How many calls a row holds, in whatever form."""
    if isinstance(row, dict):
        if isinstance(row.get("messages"), str):  # JSON in a column of text, as verl's
            return calls_in(json.loads(row["messages"]))
        if "completions" in row:  # steps are text
            return sum(step.count("<tool_call>") for step in row["completions"])
        if row.get("from") == "function_call":
            return len(json.loads(row["value"].partition("<tool_call>")[2].removesuffix("</tool_call>")))
        own = len(row.get("tool_calls") or ()) if "role" in row else 0
        return own + sum(calls_in(value) for key, value in row.items() if key not in ("tools", "metadata"))
    return sum(map(calls_in, row)) if isinstance(row, list) else 0


def stored_calls(thread: Document) -> int:
    """How many calls a thread's file holds, those of the older form among them."""
    turns = [message for message in thread["messages"] if message["role"] == "assistant"]
    return sum(len(message.get("tool_calls") or ()) + bool(message.get("function_call")) for message in turns)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_row_of_every_profile_can_be_loaded_and_holds_every_call(tmp_path: Path, profile: str):
    chance = random.Random(profile)
    space = workspace(tmp_path)
    good = document(9999)
    if PROFILES[profile].steps:  # its rows are labels
        good["messages"] = [
            {**message, "label": "good"} if message["role"] == "assistant" else message for message in good["messages"]
        ]
    (space.threads / "good.json").write_text(json.dumps({**good, "id": "good"}))
    for number in range(COUNT):
        path = space.threads / f"uci_har_train_16_3157_v4_{number:04d}.json"
        path.write_bytes(mutated(chance, number).encode("utf-8", "surrogatepass"))
    for name, thread in odd_ones():
        (space.threads / f"{name}.json").write_text(json.dumps({**thread, "id": name}))
    report = exported(space, ExportRequest(profile, finished_only=False))
    listing = {summary.stem: summary for summary in summaries(space)}
    assert report.exported + sum(report.skipped.values()) == report.total == len(listing)
    refused = {refusal.stem: refusal.sentence for refusal in report.refusals}
    assert {stem for stem, summary in listing.items() if summary.problem} <= refused.keys()
    manifest = [json.loads(path.read_text()) for path in report.beside if path.name.endswith(".manifest.json")]
    stems = [thread["stem"] for each in manifest for thread in each["threads"]]
    lines = [line for file in report.files for line in file.path.read_bytes().split(b"\n")[:-1]]
    if PROFILES[profile].pairs:
        assert all(isinstance(json.loads(line), dict) for line in lines)
        return
    assert "good" in stems and len(stems) == len(lines)
    for stem, line in zip(stems, lines, strict=True):
        row = json.loads(line)
        json.dumps(row, ensure_ascii=False).encode()  # a loader takes no half of a character
        tools = row.get("tools") or []
        tools = json.loads(tools) if isinstance(tools, str) else tools
        assert all(isinstance(tool, dict) for tool in tools), f"{stem}: tools {str(tools)[:80]}"
        stored = json.loads((space.threads / f"{stem}.json").read_bytes())
        assert calls_in(row) == (0 if PROFILES[profile].prompts else stored_calls(stored)), stem
