"""An evaluation on a thread of its own: it can be stopped, and gone on with."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.curate import create_thread
from core.evaluation.contest import begin, missing, open_evaluation, outcomes_of
from core.evaluation.planning import Wanted, planned
from core.evaluation.running import EvaluationRun, Progress
from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace
from tests.fake_server import fails, fake_server, says
from tests.tui.motion import motion_workspace


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return motion_workspace(tmp_path)


def run(workspace: Workspace, name: str, stop_after: int = 0) -> list[Progress]:
    told: list[Progress] = []
    over = threading.Event()

    def hear(progress: Progress) -> None:
        told.append(progress)
        if stop_after and progress.done == stop_after:
            under_way.stop()
        if progress.over:
            over.set()

    under_way = EvaluationRun(workspace, open_evaluation(workspace, name), hear)
    under_way.start()
    assert over.wait(60)
    under_way.close()
    return told


def test_a_stopped_evaluation_is_gone_on_with(space: Workspace) -> None:
    with fake_server(says("Final Answer: walking", 9)) as server:
        wanted = Wanted("motion", "trial", count=5, seed=3, endpoints=(f"{server.url}=m",), control=True)
        evaluation = planned(space, wanted)
        begin(space, evaluation)
        assert not evaluation.subjects, "whose the sessions are is known of all"
        stopped = run(space, "trial", stop_after=2)[-1]
        assert stopped.over and stopped.stopped and stopped.of == 10 and not stopped.problem
        left = sum(len(missing(space, evaluation, who)) for who in evaluation.contestants)
        assert 0 < left <= 8
        last = run(space, "trial")[-1]
    assert (last.done, last.of, last.stopped) == (left, left, False)
    for contestant in evaluation.contestants:
        assert all(outcome.finished for outcome in outcomes_of(space, evaluation, contestant))


def test_a_try_that_a_kill_left_keeps_its_seed_and_its_place(space: Workspace) -> None:
    evaluation = planned(space, Wanted("motion", "trial", count=2, seed=7, tries=3, endpoints=("builtin",)))
    begin(space, evaluation)
    (contestant,) = evaluation.contestants
    apart, session = evaluation.apart(space, contestant), evaluation.sessions[1]
    create_thread(apart, "motion", session, evaluation.question)
    second = create_thread(apart, "motion", session, evaluation.question).thread
    answered = {"role": "assistant", "content": "Final Answer: walking", "made_by": {"seed": 11}}
    asked_again = {"position": len(second.messages), "status": "superseded", "messages": []}
    document = {**second.document, "id": "motion_done", "messages": [*second.messages, answered]}
    document["alternatives"] = [asked_again]
    store.create(apart.threads, Thread(document))
    jobs = missing(space, evaluation, contestant)
    assert {job.form for job in jobs if not job.stem} == {evaluation.form}, "as all were asked"
    assert [(bool(job.stem), job.seed) for job in jobs] == [(False, 7), (False, 8), (False, 9), (True, 11), (True, 12)]
    assert [outcome.finished for outcome in outcomes_of(space, evaluation, contestant)][3:] == [True, False, False]


def test_what_fails_for_all_is_said_and_the_next_model_is_asked(space: Workspace) -> None:
    with fake_server(fails(401, "no such key")) as shut, fake_server(says("Final Answer: walking", 9)) as open_one:
        endpoints = (f"{shut.url}=shut", f"{open_one.url}=open")
        begin(space, planned(space, Wanted("motion", "trial", count=6, seed=3, endpoints=endpoints)))
        last = run(space, "trial")[-1]
    assert "no such key" in last.problem and last.failed == 6
    assert len(open_one.requests) == 6 > len(shut.requests)
