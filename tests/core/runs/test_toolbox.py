from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from core.cli.commands import run_command
from core.cli.tools import command
from core.runs.toolbox import context_for, load_toolbox, open_toolbox
from core.thread.value import Thread
from core.trust import acts_of, keep_answer
from core.workspace import Workspace, open_workspace
from tests.tools.made import made_dataset, write_dataset
from tools.builtin import BUILTIN
from tools.registry import call

OWN = '''
from tools.registry import tool

@tool
def count_samples(context, artifact_id: str = "session"):
    """Count the samples of a window."""
    return {"samples": context.window(artifact_id).time_sec.size}
'''


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dataset(tmp_path / "data" / "made", made_dataset(3, 1))
    return open_workspace(str(tmp_path))


def bring_tools(workspace: Workspace, text: str) -> None:
    """Put a file of tools into the workspace, and trust it."""
    (workspace.root / "sensorloom_tools.py").write_text(text)
    keep_answer(workspace.root, acts_of(workspace.root).files, trusted=True)


def thread_of(messages: list[dict[str, Any]], **metadata: Any) -> Thread:
    about = {"dataset": "made", "session": "s0_0000", "ground_truth": "walking", **metadata}
    return Thread({"id": "made_s0_0000_v4_0001", "metadata": about, "messages": messages})


def called(name: str, arguments: dict[str, Any], result: Any, number: int) -> list[dict[str, Any]]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": f"c{number}", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": f"c{number}", "name": name, "content": result},
    ]


def test_a_persons_own_tools_come_after_the_built_in_ones(workspace: Workspace):
    bring_tools(workspace, OWN)
    tools = open_toolbox(workspace)
    assert [tool.name for tool in tools] == [*(tool.name for tool in BUILTIN), "count_samples"]
    context = context_for(workspace, thread_of([]))
    assert json.loads(call(tools, context, "count_samples", "{}").content) == {"samples": 200}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def f(:\n", r"sensorloom_tools\.py, line 1: SyntaxError"),
        ("\nimport nothing_of_the_kind\n", r"line 2: ModuleNotFoundError: No module named 'nothing_of_the_kind'"),
        ("raise SystemExit(3)", r"line 1: SystemExit: 3"),
        ("x = 1", r"holds no tools: put `@tool`"),
        (OWN.replace("count_samples", "compute_spectrum"), r"`compute_spectrum` is left out, built in has that name"),
        (OWN.replace("@tool", "@tool\n@undefined"), r"NameError"),
    ],
)
def test_what_is_wrong_with_them_is_said_and_the_rest_works(workspace: Workspace, text: str, sentence: str):
    import re

    bring_tools(workspace, text)
    toolbox = load_toolbox(workspace)
    assert toolbox.tools == BUILTIN and len(toolbox.problems) == 1
    assert re.search(sentence, toolbox.problems[0]) and "\n" not in toolbox.problems[0]


def test_a_mended_file_is_read_again(workspace: Workspace):
    bring_tools(workspace, "broken(")
    assert load_toolbox(workspace).problems
    bring_tools(workspace, OWN)
    assert not load_toolbox(workspace).problems and len(open_toolbox(workspace)) == len(BUILTIN) + 1


def test_windows_of_earlier_calls_are_made_again(workspace: Workspace):
    tools = open_toolbox(workspace)
    context = context_for(workspace, thread_of([]))
    outcome = call(tools, context, "select_channels", '{"channel_names": ["gyro"]}')
    again = context_for(
        workspace, thread_of(called("select_channels", {"channel_names": ["gyro"]}, outcome.content, 1))
    )  # fmt: skip
    assert outcome.artifact_id and again.window(outcome.artifact_id).names == ("gyro_x", "gyro_y", "gyro_z")


def test_ids_of_threads_made_elsewhere_are_mapped(workspace: Workspace):
    session = {"type": "timeseries", "artifact_id": "ts_9f8e7d6c"}
    messages = [
        {"role": "user", "content": "Dataset Information:\n{}"},
        {"role": "user", "content": session},
        {"role": "user", "content": "what is it?"},
        *called(
            "select_channels", {"channel_names": ["gyro"], "artifact_id": "ts_9f8e7d6c"}, {"artifact_id": "ts_aaaa"}, 1
        ),
        *called(
            "filter_by_time",
            {"start_sec": 1, "end_sec": 2, "artifact_id": "ts_aaaa"},
            '{"artifact_id": "ts_bbbb"}',
            2,
        ),
    ]
    context = context_for(workspace, thread_of(messages))
    assert context.window("ts_9f8e7d6c").names == context.window().names
    window = context.window("ts_bbbb")
    assert (window.names, window.start_sec, window.end_sec) == (("gyro_x", "gyro_y", "gyro_z"), 1.0, 2.0)


def test_the_command_prints_the_schemas_and_names_a_broken_file(workspace: Workspace):
    bring_tools(workspace, "broken(")
    shown = CliRunner().invoke(command, ["--json", "--workspace", str(workspace.root)])
    assert [schema["function"]["name"] for schema in json.loads(shown.stdout)] == [tool.name for tool in BUILTIN]
    assert "sensorloom_tools.py, line 1" in shown.stderr and shown.exit_code == 0


def test_what_own_tools_print_stays_out_of_the_document(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    bring_tools(workspace, "print('hello')")
    assert run_command(["tools", "--json", "--workspace", str(workspace.root)]) == 0
    told = capsys.readouterr()
    assert len(json.loads(told.out)) == len(BUILTIN) and "hello\n" in told.err
