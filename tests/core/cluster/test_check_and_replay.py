"""`check` and `replay` say the same on a cluster as here, whatever is lost on the way; a stop says how far it came."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.lint import record, survey
from core.lint.findings_cache import findings_cache_path
from core.runs import replay_many
from core.storage import history
from core.storage.store import create
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace
from tests.core.cluster.in_process import Joins
from tests.core.runs.test_replay import stored_thread
from tests.tools.made import made_dataset, write_dataset
from tui.__main__ import run

COUNT = 12
LOST = 5
"""The thread that its workers die of, where a test wants one."""

LOUD_TOOL = """
from tools.registry import tool

print("loud")


@tool
def quiet(context):
    '''Say nothing.'''
    return {}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Good threads and their copies; one with another result, one about a dataset that is not there, one that is no
    thread, one whose counts are wrong, and some in a pack."""
    write_dataset(tmp_path / "data" / "made", made_dataset(3, 2))
    space = open_workspace(str(tmp_path), environ={})
    document = dict(stored_thread(space).document)
    for number in range(COUNT):
        other = json.loads(json.dumps(document).replace("_v4_0001", f"_v4_{number + 1:04d}"))
        if number == 1:
            other["messages"][2]["content"] = other["messages"][2]["content"].replace("1", "2", 1)
        if number == 2:
            other["metadata"]["dataset"] = "elsewhere"
        create(space.threads, Thread(other))
    miscounted = space.threads / "made_s0_0000_v4_0004.json"
    counts = json.loads(miscounted.read_text())
    counts["metadata"]["num_tool_calls"] = 77
    miscounted.write_text(json.dumps(counts))
    (space.threads / "broken.json").write_text("{")
    assert run(["pack", *at(space), f"made_s0_0000_v4_{7:04d}", f"made_s0_0000_v4_{8:04d}"]) == 0
    return space


def at(workspace: Workspace) -> list[str]:
    return ["--workspace", str(workspace.root)]


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run([*arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def of_stem(items: Sequence[Any], number: int) -> bool:
    return any(item.stem.endswith(f"_v4_{number:04d}") for item in items)


@pytest.mark.parametrize("command", ["check", "replay"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_cluster_says_what_one_machine_says_though_workers_are_lost(
    workspace: Workspace, join: Joins, capsys: pytest.CaptureFixture[str], command: str, form: tuple[str, ...]
):
    blocks = itertools.count(1)
    join(lambda method, arguments: method == "work" and next(blocks) == 2)
    there = answered(capsys, command, *form, *at(workspace), "--ray", "here")
    findings_cache_path(workspace).unlink(missing_ok=True)
    here = answered(capsys, command, *form, *at(workspace))
    assert there[:2] == here[:2] and here[0] == 1
    assert "its threads go to others" in there[2]
    assert there[2].startswith("joining the cluster at here …"), "before the first half minute of silence"


def test_what_a_cluster_found_out_is_not_looked_at_again(
    workspace: Workspace, join: Joins, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("core.lint.findings_cache.SETTLED_NS", -1)
    join()
    first = answered(capsys, "check", *at(workspace), "--ray", "here")
    again = join()
    assert answered(capsys, "check", *at(workspace), "--ray", "here")[:2] == first[:2] and not again.hired
    assert answered(capsys, "check", *at(workspace))[:2] == first[:2]


def test_what_can_be_put_right_is_put_right_here_and_can_be_undone(
    workspace: Workspace, join: Joins, capsys: pytest.CaptureFixture[str]
):
    join()
    code, out, _ = answered(capsys, "check", "--fix", *at(workspace), "--ray", "here")
    stem = "made_s0_0000_v4_0004"
    assert code == 1 and "fixed  counts" in out
    assert json.loads((workspace.threads / f"{stem}.json").read_text())["metadata"]["num_tool_calls"] != 77
    assert history.read(workspace, stem).last is not None
    assert run(["undo", stem, *at(workspace)]) == 0
    assert json.loads((workspace.threads / f"{stem}.json").read_text())["metadata"]["num_tool_calls"] == 77


@pytest.mark.parametrize("command", ["check", "replay"])
def test_a_thread_that_its_workers_die_of_is_told_and_the_others_are_done(
    workspace: Workspace, join: Joins, capsys: pytest.CaptureFixture[str], command: str
):
    join(lambda method, arguments: method == "work" and of_stem(arguments[0], LOST))
    code, out, _ = answered(capsys, command, "--json", *at(workspace), "--ray", "here")
    told, stem = json.loads(out), f"made_s0_0000_v4_{LOST:04d}"
    assert code == 1
    if command == "replay":
        assert len(told["threads"]) == COUNT - 1
        assert any(line.startswith(f"{stem}: 5 workers were lost") for line in told["unreadable"])
    else:
        assert told["checked"] == COUNT + 1
        (of_it,) = [thread["findings"] for thread in told["threads"] if thread["stem"] == stem]
        assert of_it[0]["sentence"].startswith("it could not be checked: 5 workers were lost")


@pytest.mark.parametrize("where", ["cluster", "here"])
@pytest.mark.parametrize("command", ["check", "replay"])
def test_ctrl_c_tells_what_was_done_and_how_much_was_not(
    workspace: Workspace,
    join: Joins,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    where: str,
):
    monkeypatch.setattr("core.cluster.blocks.FIRST", 1)
    monkeypatch.setattr("core.cluster.blocks.MOST", 1)
    monkeypatch.setattr(survey, "PART", 1)
    monkeypatch.setattr(replay_many, "PART", 1)
    asked = itertools.count(1)

    def stopping() -> bool:
        if next(asked) == 3:
            signal.raise_signal(signal.SIGINT)
        return False

    if where == "cluster":
        join(lambda method, _arguments: method == "work" and stopping())
    else:
        module = "core.lint.record.look_at" if command == "check" else "core.runs.replay_many.replay"
        original = record.look_at if command == "check" else replay_many.replay
        monkeypatch.setattr(module, lambda *arguments: stopping() or original(*arguments))
    options = ["--ray", "here"] if where == "cluster" else []
    code, out, err = answered(capsys, command, "--json", *at(workspace), *options)
    told = json.loads(out)
    left = told["not_looked_at" if command == "check" else "not_replayed"]
    whole = COUNT if command == "check" else COUNT + 1
    done = told["checked"] - 1 if command == "check" else len(told["threads"]) + len(told["unreadable"])
    assert code == 130 and told["stopped"] and 0 < left < whole and left + done == whole
    assert f"stopped: {left} threads not " in err
    if command == "check":
        assert answered(capsys, "check", *at(workspace))[0] == 1
        assert not any(finding["check"] == "duplicates" for thread in told["threads"] for finding in thread["findings"])


def test_many_are_replayed_in_processes_as_in_this_one(
    workspace: Workspace,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    trust: Callable[[Path], None],
):
    (workspace.root / "sensorloom_tools.py").write_text(LOUD_TOOL)
    trust(workspace.root)
    alone = answered(capfd, "replay", "--json", *at(workspace))
    monkeypatch.setattr(replay_many, "MANY", 2)
    monkeypatch.setattr(replay_many, "PART", 3)
    monkeypatch.setattr("core.processes.pool.cores", lambda: 2)
    assert answered(capfd, "replay", "--json", *at(workspace))[:2] == alone[:2]
