"""`sensorloom evaluate`: the same sessions for all, kept apart, gone on with, and told with intervals."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from core.cli.commands import run_command
from core.datasets.drawing import draw_sessions
from core.datasets.standard import open_dataset
from core.evaluation.contest import Contestant, Evaluation, begin
from core.storage import store
from core.storage.splits_file import hold_out
from core.thread.evidence import evidence_of
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, fails, fake_server, says
from tests.tools.made import MadeDataset, made_dataset, write_dataset

COUNT = 40


@pytest.fixture
def workspace(demo_workspace: Workspace) -> Workspace:
    return demo_workspace


def evaluate(workspace: Workspace, *arguments: str) -> int:
    return run_command(["evaluate", *arguments, "--workspace", str(workspace.root), "--trust"])


def by_itself(workspace: Workspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a program of its own: this one's processes may know another home."""
    command = [sys.executable, "-m", "tui", "evaluate", *arguments, "--workspace", str(workspace.root), "--trust"]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def document(workspace: Workspace, capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert evaluate(workspace, *arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def named(tool: Any) -> str:
    return tool["function"]["name"]


def script(workspace: Workspace, accuracy: float, seed: int) -> list[Answer]:
    """Answers of a model that is right so often, in the order of the sessions that the seed draws."""
    dataset, chance = open_dataset(workspace, "demo"), random.Random(seed)
    answers: list[Answer] = []
    for session in draw_sessions(dataset, COUNT, seed=4):
        truth = dataset.labels[session][0]
        wrong = next(label for label in dataset.activities if label != truth)
        answer = (truth if chance.random() < accuracy else wrong).replace("_", " ").upper()
        answers.append(says(f"It moves.\n\nConfidence: medium\nFinal Answer: {answer}", 60))
    return answers


def test_two_models_of_known_accuracy_are_reported_and_told_apart(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = ("trial", "--dataset", "demo", "--count", str(COUNT), "--seed", "4", "--parallel", "1")
    with fake_server(*script(workspace, 0.9, 1)) as good, fake_server(*script(workspace, 0.3, 2)) as poor:
        told = document(workspace, capsys, *begun, "--endpoint", f"{good.url}=good", "--endpoint", f"{poor.url}=poor")
        assert len(good.requests) == len(poor.requests) == COUNT
        asked = [[body["messages"] for body in server.requests] for server in (good, poor)]
    assert asked[0] == asked[1], "the same sessions and questions, in the same order"
    better, worse = told["contestants"]
    for contestant, accuracy in ((better, 0.9), (worse, 0.3)):
        assert contestant["interval"][0] < accuracy < contestant["interval"][1]
        assert contestant["of"] == contestant["finished"] == COUNT
        answered = {row["answer"] for row in contestant["confusion"]}
        assert answered <= {*open_dataset(workspace, "demo").activities}, "as the dataset spells them"
    assert told["evidence"] == "reference", "the same for all"
    (apart,) = told["differences"]
    assert apart["p"] < 0.01 and apart["interval"][0] > 0
    report = (workspace.root / "evaluations/trial/report.md").read_text()
    assert "McNemar" in report and f"{100 * better['accuracy']:.1f} %" in report
    assert len((workspace.root / "evaluations/trial/tries.csv").read_text().splitlines()) == 1 + 2 * COUNT
    figures = json.loads((workspace.root / "evaluations/trial/report.json").read_text())
    assert figures["contestants"][0]["per_label"] == better["per_label"] and better["seconds"] > 0
    assert (better["tokens_read"], better["failures"]) == (11, 0) and worse["calibration_error"] > 0.2
    drawn = ElementTree.parse(workspace.root / "evaluations/trial/table.svg").getroot()
    assert f"{100 * better['accuracy']:.1f} %" in "".join(drawn.itertext())


def test_what_a_kill_left_is_gone_on_with_and_the_figures_are_those_of_an_uninterrupted_one(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = ("--dataset", "demo", "--count", "6", "--seed", "2", "--control", "--parallel", "1")
    whole = document(workspace, capsys, "whole", *begun)
    cut = document(workspace, capsys, "cut", *begun)
    assert cut["contestants"] == whole["contestants"]
    folder = workspace.root / "evaluations/cut/builtin"
    for path in sorted(folder.glob("*.json"))[3:]:
        path.unlink()
    for path in (workspace.root / "evaluations/cut/builtin-without-tools").glob("*.json"):
        path.unlink()
    before = document(workspace, capsys, "cut")
    assert [contestant["finished"] for contestant in before["contestants"]] == [3, 0]
    assert before["contestants"][0]["of"] == 6, "what is not there counts, as wrong"
    again = document(workspace, capsys, "cut", "--resume")
    assert [c["per_label"] for c in again["contestants"]] == [c["per_label"] for c in whole["contestants"]]
    control = store.read_all(workspace.root / "evaluations/cut/builtin-without-tools")
    assert all(isinstance(read, store.Stored) and not read.thread.metadata["num_tool_calls"] for read in control)


def test_processes_come_to_the_same_figures_with_tools_of_ones_own_and_without(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "sensorloom_tools.py").write_text(
        "from tools.registry import tool\n\n@tool\ndef count_to(number: int) -> dict:\n"
        '    """Count.\n\n    Args:\n        number: how far.\n    """\n    return {"counted": number}\n'
    )
    begun = ("--dataset", "demo", "--count", "4", "--seed", "2", "--control", "--few-shot", "0")
    ran = [
        by_itself(workspace, name, *begun, "--workers", workers, "--json")
        for name, workers in (("alone", "1"), ("together", "2"))
    ]
    alone, together = (json.loads(done.stdout) for done in ran)
    assert all(done.stderr.count("without tools, as a control:") == 1 for done in ran)
    compared = ("accuracy", "finished", "calls", "tokens", "confusion", "per_label")
    for here, there in zip(alone["contestants"], together["contestants"], strict=True):
        assert [here[name] for name in compared] == [there[name] for name in compared]
    with_tools, without = (
        [read.thread for read in store.read_all(workspace.root / f"evaluations/together/{key}")
         if isinstance(read, store.Stored)] for key in ("builtin", "builtin-without-tools")
    )  # fmt: skip
    assert all("count_to" in {named(tool) for tool in thread.document["tools"]} for thread in with_tools)
    assert len(without) == 4 and not any(thread.metadata["num_tool_calls"] for thread in without)
    assert evaluate(workspace, "both", *begun, "--workers", "2", "--ray", "local") == 1
    assert "leave --workers out" in capsys.readouterr().err and not (workspace.root / "evaluations/both").exists()


def test_answers_stay_apart_from_training_threads_and_are_not_exported(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(workspace, "--dataset", "demo", "--count", "3", "--seed", "1") == 0
    assert "kept in evaluations/demo-1" in capsys.readouterr().out
    assert not list(workspace.threads.glob("*.json"))
    answers = store.read_all(workspace.root / "evaluations/demo-1/builtin")
    assert {evidence_of(read.thread) for read in answers if isinstance(read, store.Stored)} == {"reference"}
    own = ("--threads", str(workspace.root / "evaluations/demo-1/builtin"), "--workspace", str(workspace.root))
    assert run_command(["list", "--json", *own]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert run_command(["export", *own]) != 0
    assert "evaluation" in capsys.readouterr().err and not list(workspace.exports.glob("*.jsonl"))


def test_an_endpoint_that_refuses_is_no_quiet_zero(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    begun = ("--dataset", "demo", "--count", "2", "--seed", "1")
    with fake_server(fails(401, "no such key"), fails(401, "no such key")) as server:
        assert evaluate(workspace, *begun, "--endpoint", f"{server.url}=some") == 1
    told = capsys.readouterr().err
    assert (
        "no such key" in told and "2 threads failed, and count as wrong; `sensorloom evaluate demo-1 --resume`" in told
    )


def test_who_has_answered_need_not_be_there_any_more_when_the_others_go_on(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace.root / "sensorloom.toml"
    others = settings.read_text()
    with fake_server(*[says("Final Answer: walking", 5)] * 3) as server:
        endpoint = f'[[endpoints]]\nname = "NAME"\nbase_url = "{server.url}"\nmodel = "m"\n'
        gone, stays = endpoint.replace("NAME", "gone"), endpoint.replace("NAME", "stays")
        settings.write_text(others + gone + stays)
        begun = ("--dataset", "demo", "--count", "1", "--seed", "1", "--endpoint", "gone", "--endpoint", "stays")
        assert evaluate(workspace, "trial", *begun) == 0
        (left,) = (workspace.root / "evaluations/trial/stays").glob("*.json")
        left.unlink()
        settings.write_text(others + stays)
        told = document(workspace, capsys, "trial", "--resume")
    assert [contestant["finished"] for contestant in told["contestants"]] == [1, 1]


def test_people_held_out_are_who_is_asked_about(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--dataset", "demo", "--held-out", "--count", "4", "--seed", "1")
    assert evaluate(workspace, *asked) != 0
    assert "nothing of demo is held out" in capsys.readouterr().err
    hold_out(workspace.root, ["demo/subject:s03"])
    assert evaluate(workspace, "--dataset", "demo", "--held-out", "--count", "900") != 0
    assert "of demo are held out, fewer than the 900 asked for" in capsys.readouterr().err
    told = document(workspace, capsys, *asked)
    assert told["subjects"] == "people held out from training"
    threads = store.read_all(workspace.root / "evaluations/demo-1/builtin")
    assert {read.thread.session[:3] for read in threads if isinstance(read, store.Stored)} == {"s03"}


def test_that_nobody_knows_who_was_recorded_is_said_beside_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = made_dataset(2, 1)
    names = {session: f"recording_{session[-4:]}" for session in known.windows}
    windows = {names[session]: window for session, window in known.windows.items()}
    labels = {names[session]: own for session, own in known.labels.items()}
    write_dataset(tmp_path / "data" / "mine", MadeDataset(windows=windows, labels=labels))
    with fake_server(*[says("Final Answer: walking", 5)] * 2) as server:
        space = open_workspace(str(tmp_path), environ={})
        assert evaluate(space, "--dataset", "mine", "--count", "2", "--seed", "1", "--endpoint", f"{server.url}=m") == 0
    assert "2 sessions of mine of people who are not all known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says_so"),
    [
        (["nowhere"], "there is no evaluation 'nowhere'; there are: none"),
        ([], "there is no evaluation yet"),
        (["../x", "--dataset", "demo"], "cannot be an evaluation's name"),
        (["--resume", "--count", "3"], "--count is for a new evaluation"),
        (["--resume", "--tries", "3"], "--tries is for a new evaluation"),
        (["--resume", "--endpoint", "x"], "--endpoint is for a new evaluation"),
        (["--dataset", "demo", "--endpoint", "builtin", "--endpoint", "builtin"], "is there twice"),
        (
            [
                *"--dataset demo --endpoint http://127.0.0.1:1/v1=a --endpoint http://127.0.0.1:2/v1=b".split(),
                *("--header", "X-Key: secret"),
            ],
            "--header would go to every endpoint",
        ),
        (["--dataset", "nope"], "nope"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], arguments: list[str], says_so: str
) -> None:
    assert evaluate(workspace, *arguments) != 0
    told = capsys.readouterr().err.splitlines()
    assert says_so in told[-1] and len([line for line in told if line.startswith("sensorloom:")]) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tries": 0}, "`tries` are from 1 to 64"),
        ({"tries": 10**9}, "`tries` are from 1 to 64"),
        ({"sessions": []}, "`sessions` are not one or more"),
        ({"contestants": []}, "`contestants` are not one or more"),
        ({"contestants": [{"key": "../../threads", "endpoint": "builtin", "model": ""}]}, "cannot be a folder's name"),
    ],
)
def test_a_setup_that_says_what_none_says_runs_nothing(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], change: dict[str, Any], told: str
) -> None:
    begun = Evaluation("trial", "demo", ("s01_0001",), "What?", 1, 1, (Contestant("builtin", "builtin", ""),))
    begin(workspace, begun)
    path = workspace.root / "evaluations" / "trial" / "evaluation.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    before = sorted(workspace.root.rglob("*.json"))
    assert evaluate(workspace, "trial", "--resume") == 1
    assert told in capsys.readouterr().err
    assert sorted(workspace.root.rglob("*.json")) == before, (
        "no thread is written, and none where threads are trained on"
    )
