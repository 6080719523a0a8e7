"""What is sent to the model must not depend on the label of the session it is about."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.analyst import transport
from core.analyst.policy import reply_to
from core.datasets.standard import open_dataset
from core.workspace import Workspace, open_workspace
from tests import fake_server
from tui.__main__ import run


def as_the_analyst(body: dict[str, Any]) -> fake_server.Answer:
    """What the built-in analyst answers, from a server."""
    seed = body["seed"]
    return fake_server.Answer([*transport.Answer(reply_to(body, seed), body, seed).chunks()])


def requests_of(workspace: Workspace, session: str, question: str) -> list[Any]:
    """Everything that is sent while a thread about the session is run to its end."""
    with fake_server.fake_server() as server:
        server.answer = as_the_analyst
        asked = ["--dataset", "demo", "--session", session, "--seed", "4", "--query", question]
        run(["run", "--workspace", str(workspace.root), "--endpoint", server.url, *asked])
    return server.requests


def test_the_requests_are_the_same_whatever_the_session_and_its_subject_are_labelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], copy_demo: Callable[[Path], None]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        copy_demo(tmp_path / name)
    first = open_workspace(str(tmp_path / "a"), environ={})
    second = open_workspace(str(tmp_path / "b"), environ={})
    shutil.rmtree(second.private / "features")
    dataset = open_dataset(first, "demo")
    subject = next(iter(dataset.subjects.values()))
    own = [session for session, other in dataset.subjects.items() if other == subject]
    labels = json.loads((second.data / "demo" / "labels.json").read_text())
    shift = {label: dataset.activities[number - 1] for number, label in enumerate(dataset.activities)}
    relabelled = {
        session: [shift[label] for label in names] if session in own else names for session, names in labels.items()
    }
    (second.data / "demo" / "labels.json").write_text(json.dumps(relabelled))
    for label in dataset.activities[::2]:
        session = next(other for other in own if dataset.labels[other] == (label,))
        before = requests_of(first, session, "What is this person doing?")
        after = requests_of(second, session, "What is this person doing?")
        assert len(before) > 1
        assert before == after
        user = before[0]["messages"][1]["content"]
        assert label not in user.replace(json.dumps(list(dataset.activities), indent=2).replace("\n", "\n  "), "")
        assert all(session not in json.dumps(request) for request in before)
    capsys.readouterr()
