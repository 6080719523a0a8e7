"""An evaluation on a thread of its own: it can be stopped, and gone on with."""

from __future__ import annotations

import json
import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from core.curate import create_thread
from core.errors import UsageError
from core.evaluation.asking import alone
from core.evaluation.contest import begin, missing, open_evaluation, outcomes_of
from core.evaluation.figures import figures
from core.evaluation.planning import Wanted, planned
from core.evaluation.report import lines
from core.evaluation.running import EvaluationRun, Progress
from core.evaluation.scores import per_dataset
from core.listing.index import summaries
from core.storage import store, thread_files
from core.thread.value import Thread
from core.workspace import Workspace
from tests.fake_server import fails, fake_server, says
from tests.tui.motion import motion_workspace
from tui.__main__ import run as program
from tui.widgets.cell_board import CellRow
from tui.widgets.evaluation_lines import evaluation_rows
from tui.widgets.lines import plain_text


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
        wanted = Wanted(("motion",), "trial", count=5, seed=3, endpoints=(f"{server.url}=m",), control=True)
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


def test_what_another_process_asks_already_is_not_asked_twice(
    space: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation = planned(space, Wanted(("motion",), "trial", count=2, seed=3, endpoints=("builtin",)))
    begin(space, evaluation)
    (contestant,) = evaluation.contestants
    with alone(space, evaluation):
        refused = run(space, "trial")[-1]
        command = ["evaluate", "trial", "--resume", "--workspace", str(space.root), "--data", str(space.data)]
        assert program(command) == 1
    assert "evaluation trial is under way in another process" in capsys.readouterr().err
    assert refused.over and "evaluation trial is under way in another process" in refused.problem
    assert len(missing(space, evaluation, contestant)) == 2
    assert run(space, "trial")[-1].done == 2


def test_several_datasets_count_apart_though_their_sessions_are_called_alike(space: Workspace) -> None:
    shutil.copytree(space.data / "motion", space.data / "other")
    wanted = Wanted(("motion", "other"), count=3, seed=3, tries=2, filter="label:walking -s04")
    with fake_server(says("Final Answer: walking", 9)) as server:
        evaluation = planned(space, replace(wanted, endpoints=(f"{server.url}=m",)))
        begin(space, evaluation)
        run(space, evaluation.name)
    assert evaluation.name == "motion-other-1" and open_evaluation(space, evaluation.name) == evaluation
    assert len(server.requests) == 12 and len({*evaluation.asked}) == 6
    (contestant,) = evaluation.contestants
    outcomes = outcomes_of(space, evaluation, contestant)
    assert [(share.right, share.of) for share in per_dataset(outcomes).values()] == [(6, 6), (6, 6)]
    assert {outcome.truth for outcome in outcomes} == {"walking"} and not any(o.session[:3] == "s04" for o in outcomes)
    assert len({body["seed"] for body in server.requests}) == 12, (
        "a seed for each session of each dataset, and each try"
    )
    report = "\n".join(lines(evaluation, {contestant: outcomes}))
    assert "6 sessions of motion and other, those like `label:walking -s04`, 2 tries each" in report
    assert "| other | 100.0 % (61.0–100.0) |" in report
    rows = evaluation_rows(figures(space, evaluation), 100)
    (row,) = [row for row in rows if "other  " in plain_text(row.line)]
    assert isinstance(row, CellRow) and row.cells[0].terms == ("dataset:other",)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(("motion", "motion")), "names each dataset once"),
        (
            Wanted(("motion",), filter="label:flying"),
            "0 sessions of motion are like `label:flying`, so there",
        ),
        (Wanted(("motion",), filter="used"), "0 sessions of motion are like `used`"),
        (
            Wanted(("motion",), filter="subject:s01 <5", count=9),
            "4 sessions of motion are like `subject:s01 <5`",
        ),
        (Wanted(("motion",), filter="lable:x"), "lable: is no word here"),
    ],
)
def test_sessions_that_there_are_not_are_refused(space: Workspace, wanted: Wanted, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        planned(space, wanted)


def test_a_whole_label_of_one_dataset_means_no_longer_one_of_another(space: Workspace) -> None:
    shutil.copytree(space.data / "motion", other := space.data / "other")
    labels = (other / "labels.json").read_text()
    (other / "labels.json").write_text(labels.replace("walking", "walking_upstairs"))
    with pytest.raises(UsageError, match="0 sessions of other are like `label:walking`"):
        planned(space, Wanted(("motion", "other"), filter="label:walking"))
    asked = planned(space, Wanted(("motion", "other"), count=8, filter="label:walking*")).asked
    assert len(asked) == 16


def test_fresh_sessions_are_told_from_the_index_without_reading_every_thread(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = create_thread(space, "motion", "s01_0", "What?").stem
    summaries(space)
    monkeypatch.setattr(thread_files, "read_bytes", lambda path: pytest.fail(f"{path} was read, as {used} was once"))
    monkeypatch.setattr(store, "read_all", lambda *_: pytest.fail("every thread was read"))
    assert planned(space, Wanted(("motion",), filter="used")).sessions == ("s01_0",)
    assert "s01_0" not in planned(space, Wanted(("motion",), filter="fresh")).sessions


def test_sessions_of_several_activities_are_asked_of_nobody(space: Workspace) -> None:
    several = ["s01_0", "s02_1", "s03_2"]
    facts = {session: {"changes_sec": [1.0]} for session in several}
    (space.data / "motion/facts.json").write_text(json.dumps(facts))
    asked = planned(space, Wanted(("motion",))).sessions
    assert len(asked) == 13 and not {*asked} & {*several}, "all there are, where no count is given"
    with pytest.raises(UsageError, match="13 sessions of motion are labelled with one activity, fewer than the 14"):
        planned(space, Wanted(("motion",), count=14))


def test_a_try_that_a_kill_left_keeps_its_seed_and_its_place(space: Workspace) -> None:
    evaluation = planned(space, Wanted(("motion",), "trial", count=2, seed=7, tries=3, endpoints=("builtin",)))
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
        begin(space, planned(space, Wanted(("motion",), "trial", count=6, seed=3, endpoints=endpoints)))
        last = run(space, "trial")[-1]
    assert "no such key" in last.problem and last.failed == 6
    assert len(open_one.requests) == 6 > len(shut.requests)
