"""Several ways at a session are on a cluster what they are here: threads, questions, what is kept, and the rates."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.curate.trash import list_trash
from core.runs.batches import batches
from core.storage.pass_rates import read_pass_rates
from core.storage.store import read
from core.storage.thread_files import stems
from core.workspace import Workspace, open_workspace
from tests.core.cluster.in_process import Joins
from tests.fake_server import Answer, FakeServer, calls, fails, fake_server, says
from tests.tools.made import made_dataset, write_dataset
from tui.__main__ import run

WAYS = 3
LABELS = ("walking", "laying")
RESUME = ("run", "--resume", "--json")


@pytest.fixture
def opened(tmp_path: Path, trust: Callable[[Path], None]) -> Callable[[str, str], Workspace]:
    """A workspace of this name, whose endpoint `box` is at this address."""

    def opened(name: str, address: str) -> Workspace:
        root = tmp_path / name
        write_dataset(root / "data" / "made", made_dataset(2, 2, LABELS))
        (root / "sensorloom.toml").write_text(f'[[endpoints]]\nname = "box"\nbase_url = "{address}"\nmodel = "fake"\n')
        trust(root)
        return open_workspace(str(root), environ={})

    return opened


def answer(request: dict[str, Any]) -> Answer:
    """A question by the seed; then a look, and an answer by the seed, which is often right."""
    if not request.get("tools"):
        return says(f"How does it move, {request['seed']}?")
    if request["messages"][-1]["role"] == "user":
        return calls(("compute_spectrum", "{}"))
    label = LABELS[request["seed"] % 2]
    return says(f"It moves, {request['seed']}.\n\nConfidence: high\nFinal Answer: {label}", 20)


def asked_for_questions(server: FakeServer) -> list[int]:
    return sorted(request["seed"] for request in server.requests if not request.get("tools"))


def answered(capsys: pytest.CaptureFixture[str], workspace: Workspace, *arguments: str) -> tuple[int, Any, str]:
    capsys.readouterr()
    code = run([*arguments, "--workspace", str(workspace.root)])
    shown = capsys.readouterr()
    return code, json.loads(shown.out), shown.err


def counts(document: Any) -> Any:
    """A document without what differs from run to run: the ids of its threads, and the batch's name."""
    sessions = [
        {**session, "kept": len(session["kept"]), "to_trash": len(session["to_trash"])}
        for session in document["sessions"]
    ]
    return {**document, "batch": "", "sessions": sessions}


def kept_threads(workspace: Workspace) -> list[str]:
    """What the threads are, in no order: without ids, times, and where their server is."""
    told: list[str] = []
    for thread in (read(workspace.threads, stem).thread for stem in stems(workspace.threads)):
        said_in = [[message["role"], message.get("content"), message.get("tool_calls")] for message in thread.messages]
        others = [
            [other["position"], other["led_to"], other["messages"][-1]["content"]] for other in thread.alternatives
        ]
        known = [thread.session, thread.question, thread.metadata["seed"], thread.metadata["pass_rate"]]
        told.append(json.dumps([known, said_in, others]).replace(thread.id, "ID"))
    return sorted(told)


def begin(*options: str) -> tuple[str, ...]:
    return (
        "run", "--dataset", "made", "--count", "3", "--per-session", str(WAYS), "--seed", "4", "--endpoint", "box",
        "--json", *options,
    )  # fmt: skip


def test_ways_on_a_cluster_are_those_of_this_machine_though_workers_are_lost(
    opened: Callable[[str, str], Workspace], join: Joins, capsys: pytest.CaptureFixture[str]
):
    lost: list[str] = []

    def mishap(method: str, arguments: tuple[Any, ...]) -> bool:
        """The first worker dies of a question, another one of a thread."""
        if method in ("ask", "run") and method not in lost:
            lost.append(method)
            return True
        return False

    cluster = join(mishap)
    cluster.address = "127.0.0.1"
    with fake_server() as server:
        server.answer = answer
        here = opened("here", server.url)
        alone = answered(capsys, here, *begin())
        asked = asked_for_questions(server)
        there = opened("there", server.url.replace("127.0.0.1", "{node}"))
        told = answered(capsys, there, *begin("--ray", "here"))
        again = asked_for_questions(server)
    assert lost == ["ask", "run"] and told[:1] == alone[:1] == (0,)
    assert counts(told[1]) == counts(alone[1])
    assert {session["right"] for session in told[1]["sessions"]} & {1, 2}, "some are right and some are not"
    assert any(session["pairs"] for session in told[1]["sessions"])
    assert kept_threads(there) == kept_threads(here) != []
    assert read_pass_rates(there.root) == read_pass_rates(here.root) != {}
    assert len(list_trash(there)) == len(list_trash(here)) > 0
    assert len(asked) == 3 and set(again) == set(asked)
    by_session = [{read(there.threads, stem).thread.question for stem in each["kept"]} for each in told[1]["sessions"]]
    assert [len(questions) for questions in by_session] == [1] * 3 and len(set.union(*by_session)) == 3


def test_a_stopped_batch_of_ways_goes_on_with_a_cluster_and_is_sorted_out_there(
    opened: Callable[[str, str], Workspace], join: Joins, capsys: pytest.CaptureFixture[str]
):
    stops: list[str] = []

    def stopping(method: str, arguments: tuple[Any, ...]) -> bool:
        if method == "run" and not stops:
            stops.append(method)
            signal.raise_signal(signal.SIGINT)
        return False

    with fake_server() as server:
        server.answer = answer
        here, there = opened("here", server.url), opened("there", server.url)
        alone = answered(capsys, here, *begin())
        join(stopping, room=1)  # no other thread is in the middle of a turn, whose next try has another seed
        code, halted, err = answered(capsys, there, *begin("--ray", "here", "--parallel", "1"))
        assert (code, halted["stopped"]) == (130, True) and "the ways are not sorted out yet" in err
        assert not read_pass_rates(there.root) and not list_trash(there)
        join()
        told = answered(capsys, there, *RESUME, "--ray", "here")
        assert told[0] == 0 and counts(told[1]) == counts(alone[1])
        assert kept_threads(there) == kept_threads(here) != []
        assert read_pass_rates(there.root) == read_pass_rates(here.root)
        cluster = join()
        whole = answered(capsys, there, *RESUME, "--ray", "here")
    assert whole[0] == 0 and "its ways are sorted out" in whole[2] and not cluster.hired


def stopped_by(_request: dict[str, Any]) -> Answer:
    """Ctrl-C as soon as a question is asked for, which nobody answers."""
    signal.raise_signal(signal.SIGINT)
    return Answer(hang_first=True)


@pytest.mark.parametrize("where", ["here", "cluster"])
@pytest.mark.parametrize("what", ["refused", "stopped"])
def test_without_all_questions_nothing_is_begun(
    opened: Callable[[str, str], Workspace], join: Joins, capsys: pytest.CaptureFixture[str], where: str, what: str
):
    def stopping(method: str, arguments: tuple[Any, ...]) -> bool:
        if (method, what) == ("ask", "stopped"):
            signal.raise_signal(signal.SIGINT)
        return False

    join(stopping, room=1)
    options = ("--ray", "here", "--parallel", "1") if where == "cluster" else ()
    with fake_server(fails(400, "not today")) as server:
        if what == "stopped":
            server.answer = stopped_by if where == "here" else answer
        workspace = opened("one", server.url)
        code, document, _ = answered(capsys, workspace, *begin(*options))
    assert (code, "not today" in document["error"]) == ((1, True) if what == "refused" else (130, False))
    assert not batches(workspace) and not stems(workspace.threads)


def test_a_kill_while_ways_are_moved_leaves_the_rates(
    opened: Callable[[str, str], Workspace], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with fake_server() as server:
        server.answer = answer
        here, there = opened("here", server.url), opened("there", server.url)
        answered(capsys, here, *begin())
        monkeypatch.setattr("core.teaching.rejection.keep_ways", killed)
        assert answered(capsys, there, *begin())[0] == 130
    assert read_pass_rates(there.root) == read_pass_rates(here.root) != {}
