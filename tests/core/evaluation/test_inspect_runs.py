"""Inspect asks the same sessions with its own `eval`, and its log says of each what ours says."""

from __future__ import annotations

import random
import runpy
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from core.cli.commands import run_command
from core.evaluation.asked import asked_sessions
from core.evaluation.contest import Evaluation, open_evaluation, outcomes_of
from core.evaluation.scores import share_right
from core.thread.labels import same_label
from core.workspace import Workspace
from tests.fake_server import Answer, calls, fake_server, says
from tests.tui.motion import motion_workspace

SEED = 3


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Evaluation]:
    """An evaluation of eight sessions of two datasets that call them alike, two tries each, which a scripted model has
    answered."""
    workspace = motion_workspace(tmp_path_factory.mktemp("inspect"))
    copytree(workspace.data / "motion", workspace.data / "again")
    manifest = workspace.data / "again/manifest.json"
    manifest.write_text(manifest.read_text().replace('"motion"', '"again"'))
    with fake_server() as server:
        server.answer = answered
        asked = ("--dataset", "motion", "--dataset", "again", "--count", "4", "--seed", str(SEED), "--tries", "2")
        assert run_command(["evaluate", "trial", *asked, "--endpoint", f"{server.url}=m", *at(workspace)]) == 0
    return workspace, open_evaluation(workspace, "trial")


def at(workspace: Workspace) -> tuple[str, ...]:
    return "--workspace", str(workspace.root), "--trust"


def told(seed: int, results: int, asked_again: bool) -> str | None:
    """What the scripted model says, by the seed: None for a call; sometimes no answer until it is asked again."""
    chance = random.Random(seed - asked_again)
    label, quiet = chance.choice(["walking", "sitting"]), chance.random() < 0.3
    if not results:
        return None
    return "It moves." if quiet and not asked_again else f"It does.\n\nConfidence: high\nFinal Answer: {label}"


def answered(body: dict[str, Any]) -> Answer:
    results = [message for message in body["messages"] if message["role"] == "tool"]
    again = body["messages"][-1]["role"] == "user" and len(body["messages"]) > 2
    text = told(body["seed"], len(results), again)
    return calls(("show_channel_stats", "{}")) if text is None else says(text)


def test_what_is_asked_is_what_is_sent(asked: tuple[Workspace, Evaluation]) -> None:
    workspace, evaluation = asked
    sessions = asked_sessions(workspace.root, "trial")
    assert [(each.thread.dataset, each.thread.session) for each in sessions] == list(evaluation.asked)
    assert len({each.name for each in sessions}) == 8 > len({each.thread.session for each in sessions})
    first = sessions[0]
    assert [message["role"] for message in first.messages] == ["system", "user"]
    assert first.seed(1) == SEED + 1 and sessions[1].seed(0) == SEED + 2
    assert "acc_x" in first.call(0, "show_channel_stats", {}) and '"error"' in first.call(0, "nothing", {})
    truth = first.thread.truth
    assert first.is_right(f"Final Answer: {truth.upper()}") and not first.is_right(truth)
    assert not asked_sessions(workspace.root, "trial", with_tools=False)[0].tools


@pytest.mark.filterwarnings("ignore")  # of its own
def test_inspects_log_agrees_to_the_session(
    asked: tuple[Workspace, Evaluation], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inspect_ai = pytest.importorskip("inspect_ai", reason="inspect-ai is not installed: `make test-inspect` has it")
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput, ModelUsage, get_model  # pyright: ignore
    from inspect_ai.tool import ToolCall  # pyright: ignore

    workspace, evaluation = asked
    assert run_command(["evaluate", "trial", "--inspect", *at(workspace)]) == 0
    assert "inspect_task.py" in capsys.readouterr().out
    task = runpy.run_path(str(workspace.root / "evaluations/trial/inspect_task.py"))["evaluation_trial"]

    def output(messages: Any, tools: Any, choice: Any, config: Any) -> Any:
        results = [message for message in messages if message.role == "tool"]
        again = messages[-1].role == "user" and len(messages) > 2
        text = told(config.seed, len(results), again)
        wanted = [ToolCall(id=f"c{config.seed}", function="show_channel_stats", arguments={})] if text is None else None
        message = ChatMessageAssistant(content=text or "Let me look.", tool_calls=wanted)
        usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # counting them needs the network
        choices = [ChatCompletionChoice(message=message)]
        return ModelOutput(model="mockllm/model", choices=choices, usage=usage)

    model = get_model("mockllm/model", custom_outputs=output)
    (log,) = inspect_ai.eval(task(), model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "success", log.error
    theirs = {(str(s.id), s.epoch - 1): next(iter(s.scores.values())) for s in log.samples or ()}
    ours = outcomes_of(workspace, evaluation, evaluation.contestants[0])
    assert {each: score.value == "C" for each, score in theirs.items()} == {
        (f"{outcome.dataset}/{outcome.session}", outcome.attempt): outcome.right for outcome in ours
    }
    assert all(same_label(theirs[f"{o.dataset}/{o.session}", o.attempt].answer, o.answer) for o in ours)
    (scores,) = log.results.scores
    assert scores.metrics["accuracy"].value == pytest.approx(share_right(ours).value)
    assert 0 < share_right(ours).value < 1
