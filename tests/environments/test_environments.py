"""Each framework's own rollouts on our sessions, in an environment of its own with `sensorloom-env` beside it. What a
model says comes from a script. `make test-env` builds the environments and runs these; `make test` skips them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core import Episode, task_of
from core.storage.splits_file import hold_out
from core.workspace import Workspace
from tests.core.small_demo import small_demo

TREE = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return small_demo(tmp_path_factory.mktemp("environments"))


def python_of(framework: str) -> Path:
    """Of the framework's environment."""
    home = TREE / ".environments" / framework
    if "TEST_ENV" not in os.environ or not (home / ".done").exists():
        pytest.skip(f"the rollouts of {framework} are minutes in an environment of their own: `make test-env`")
    return home / "bin/python"


def rolled_out(space: Workspace, framework: str, script: str) -> dict[str, Any]:
    """What a script prints that ran in the framework's environment."""
    python = python_of(framework)
    command = [str(python), str(SCRIPTS / script), str(space.root), str(space.root / framework)]
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=space.root, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


OWN = """
from typing import Any
from tools.registry import ToolContext, tool
from tools.results import rounded


@tool
def length_of(context: ToolContext) -> dict[str, Any]:
    \"\"\"How long it is.\"\"\"
    return {"seconds": rounded(context.window().end_sec)}
"""
PROGRAM = """
import json, sys
from pathlib import Path
from sensorloom import Episode, open_workspace, tasks
from sensorloom.core.trust import acts_of, keep_answer
root = Path(sys.argv[1])
keep_answer(root, acts_of(root).files, trusted=True)
episode = Episode(tasks(open_workspace(str(root)), "demo", count=1)[0])
found = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([episode.call("length_of"), sorted(found & {"core", "tools", "tui", "openai"})]))
"""


@pytest.mark.parametrize("framework", ["trl", "verifiers", "inspect", "openenv", "verl", "nemo_gym"])
def test_it_lies_beside_any_package_and_runs_own_tools(space: Workspace, tmp_path: Path, framework: str):
    (tmp_path / "sensorloom_tools.py").write_text(OWN)
    (tmp_path / "data").symlink_to(space.data)
    python = python_of(framework)
    done = subprocess.run([python, "-c", PROGRAM, tmp_path], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert json.loads(done.stdout) == ['{"seconds": 4.98}', []]


def assert_rewards_are_scores(space: Workspace, told: dict[str, Any], sessions: int) -> None:
    """The framework's rewards are what `score` gives, and no request tells a session or its label."""
    scores: list[float] = []
    for conversation in told["conversations"]:
        task = task_of(space, conversation["row"])
        scores.append(Episode(task).score(conversation["messages"]).value)
    assert told["rewards"] == pytest.approx(scores) and len({*scores}) > 1
    rows = [conversation["row"] for conversation in told["conversations"]]
    assert len({row["session"] for row in rows}) == sessions
    for prompt in told["prompts"]:
        assert not [row["session"] for row in rows if row["session"] in prompt]
        assert "ground_truth" not in prompt and "truth=" not in prompt


def test_trl_trains_two_steps_of_grpo_and_its_rewards_are_scores(space: Workspace):
    told = rolled_out(space, "trl", "trl_grpo.py")
    assert told["steps"] == 2 and told["moved"]
    assert_rewards_are_scores(space, told, 10)


def test_verifiers_rolls_out_with_a_tool_server_for_each_session(space: Workspace):
    told = rolled_out(space, "verifiers", "verifiers_eval.py")
    assert told["errors"] == []
    assert_rewards_are_scores(space, told, 10)


def test_inspect_evaluates_and_its_scores_are_scores(space: Workspace):
    told = rolled_out(space, "inspect", "inspect_eval.py")
    assert told["status"] == "success", told["error"]
    assert_rewards_are_scores(space, told, 10)


def test_openenv_serves_sessions_and_rewards_their_answers(space: Workspace):
    told = rolled_out(space, "openenv", "openenv_server.py")
    assert_rewards_are_scores(space, told, 10)


def test_verl_rolls_out_in_its_own_worker_and_its_rewards_are_scores(space: Workspace):
    told = rolled_out(space, "verl", "verl_rollout.py")
    assert told["in_batch"] == pytest.approx(sorted(told["rewards"])) and told["masked"]
    assert_rewards_are_scores(space, told, 10)


def test_nemo_gym_starts_its_servers_and_collects_rollouts(space: Workspace):
    told = rolled_out(space, "nemo_gym", "nemo_gym_rollouts.py")
    assert_rewards_are_scores(space, told, 10)


PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("framework", ["inspect", "openenv", "verl", "nemo_gym"])
def test_the_programs_of_a_page_run_as_they_stand(space: Workspace, tmp_path: Path, framework: str):
    python = python_of(framework)
    (tmp_path / "data").symlink_to(space.data)
    hold_out(tmp_path, ["demo/subject:s02"])
    (program,) = PYTHON_BLOCK.findall((TREE / f"docs/rl/{framework}.md").read_text())
    (tmp_path / "sessions.py").write_text(program)
    command = [str(python), "sessions.py"]
    if framework == "inspect":  # what the page has a model for, with Inspect's mock of one
        command = [str(python.parent / "inspect"), "eval", "sessions.py", "--model", "mockllm/model", "--limit", "2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert framework != "verl" or "agent_loop_config_path=" in done.stdout
    assert framework != "nemo_gym" or (tmp_path / "gym/sessions.jsonl").exists()
