"""A message has one number: in text and in JSON, in whatever command names it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from tests.core.export.threads import TOOLS, document


@pytest.mark.parametrize("command", ["check", "replay", "show", "edit"])
def test_text_and_json_number_messages_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str):
    thread = {**document(1), "tools": TOOLS}
    thread["messages"][1]["tool_calls"][0]["function"]["arguments"] = "no JSON"
    (tmp_path / "threads").mkdir()
    (tmp_path / "threads" / "t.json").write_text(json.dumps(thread))

    def run(*options: str) -> str:
        rest = ("--message", "2", "--text", "Look.", "--force") if command == "edit" else ()
        run_command([command, "t", *rest, *options, "--workspace", str(tmp_path)])
        return capsys.readouterr().out

    told, text = json.loads(run("--json")), run()
    match command:
        case "check":
            [number] = [find["message"] for find in told["threads"][0]["findings"] if find["check"] == "arguments_json"]
            assert f"arguments_json: message {number}:" in text
        case "replay":
            number = told["threads"][0]["calls"][0]["message"]
            assert f"t, message {number}, show_channel_stats" in text
        case "show":
            number = next(row["number"] for row in told["messages"] if row["message"]["role"] == "assistant")
            assert f"   {number}  turn 1" in text
        case _:
            number = told["message"]
    assert number == 2


@pytest.mark.parametrize("arguments", [["show", "t"], ["show", "t", "--json"], ["check", "t"], ["list"], ["stats"]])
def test_twice_the_messages_take_no_more_than_about_twice_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    def calls(turns: int) -> int:
        thread = document(1)
        question, asks, *results, final = thread["messages"]
        messages: list[Any] = [question]
        for number in range(turns):
            renamed = [{**call, "id": f"{call['id']}_{number}"} for call in asks["tool_calls"]]
            messages.append({**asks, "tool_calls": renamed})
            messages += [{**result, "tool_call_id": f"{result['tool_call_id']}_{number}"} for result in results]
        folder = tmp_path / str(turns) / "threads"
        folder.mkdir(parents=True)
        (folder / "t.json").write_text(json.dumps({**thread, "tools": TOOLS, "messages": [*messages, final]}))
        count = 0

        def counting(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(counting)
        try:
            run_command([*arguments, "--workspace", str(folder.parent)])
        finally:
            sys.setprofile(None)
        return count

    calls(1)  # what is loaded once
    fewer, more = calls(60), calls(120)
    assert more < 2.5 * fewer, (fewer, more)
