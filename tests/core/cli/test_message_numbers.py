"""A message has one number: in text and in JSON, in whatever command names it."""

from __future__ import annotations

import json
from pathlib import Path

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
            number = next(one["number"] for one in told["messages"] if one["message"]["role"] == "assistant")
            assert f"   {number}  turn 1" in text
        case _:
            number = told["message"]
    assert number == 2
