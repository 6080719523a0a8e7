from __future__ import annotations

from collections import Counter

import pytest

from core.errors import UsageError
from core.export.report import ExportRequest
from core.export.run import export
from core.listing.goal import Goal, Kinds, goal_of, parse_goal, progress, set_goal
from core.listing.index import summaries
from core.listing.proposing import command_to_make, propose, sessions_to_make
from core.storage.splits_file import hold_out
from core.storage.store import Stored
from core.thread.summary import Summary
from core.workspace import Workspace
from tests.tools.made import made_dataset, write_dataset


def thread(number: int, truth: str, *, tools: str = "a", verdict: str = "", correct: bool = True, question: str = "q"):
    return Summary(
        f"t{number:02}", shape="v4", dataset="d", session=f"s{number}", status="finished", truth=truth, answer=truth,
        correct=correct, calls=2, verdict=verdict, tools_used=(tools,), question=question,
    )  # fmt: skip


def test_a_goal_is_written_kept_and_refused_in_one_sentence(workspace: Workspace):
    goal = parse_goal("total=100, label=10")
    assert goal == Goal(total=100, label=10) and parse_goal("path=50", goal).total == 100
    set_goal(workspace, goal)
    assert goal_of(workspace) == goal and parse_goal(goal.text) == goal
    assert parse_goal(Goal(label=2, calls=0, right=0).text) == Goal(label=2, calls=0, right=0)
    set_goal(workspace, None)
    assert goal_of(workspace) is None
    for wrong in ("lable=3", "label", "label=x", "calls=2", "total=3 path=101"):
        with pytest.raises(UsageError):
            parse_goal(wrong)


def test_only_what_is_right_and_rests_on_calls_counts(workspace: Workspace):
    every = [
        thread(1, "sitting", verdict="accept"), thread(2, "sitting", verdict="accept", correct=False),
        thread(3, "walking"), thread(4, "walking", verdict="reject"),
    ]  # fmt: skip
    far = progress(Goal(label=2), every, Kinds(workspace))
    assert (far.accepted, far.total, far.uncounted) == (1, 4, 1)
    assert far.text == "accepted 1 of 4 · walking 2 short, 1 other too"
    assert progress(Goal(label=2, right=0), every, Kinds(workspace)).accepted == 2


def test_what_is_proposed_balances_varies_and_says_why(workspace: Workspace):
    accepted = [thread(number, "sitting", verdict="accept") for number in range(2)]
    others = [
        thread(2, "sitting", question="other"), thread(3, "walking"), thread(4, "walking", tools="b"),
        thread(5, "walking", correct=False), thread(6, "lying", verdict="reject"), thread(7, "walking", tools="b"),
    ]  # fmt: skip
    proposed = propose(workspace, Goal(label=2, path=50), [*accepted, *others])
    assert [pick.stem for pick in proposed.picks][:2] == ["t04", "t07"]  # path a has its half already
    assert proposed.picks[0].reason == "walking lacks 2, a new tool path, the label of another person"
    assert proposed.picks[1].reason == "walking lacks 1, the label of another person"
    assert {name: number for (_, _, name), number in proposed.missing.items()} == {"lying": 2}


def test_no_tool_path_gets_more_than_its_share(workspace: Workspace):
    every = [thread(number, "walking") for number in range(10)] + [thread(10, "walking", tools="b")]
    proposed = propose(workspace, Goal(total=10, path=30), every)
    assert [pick.stem for pick in proposed.picks if pick.stem != "t10"] == ["t00", "t01", "t02"]


@pytest.mark.parametrize("goal", [Goal(label=2), Goal(dataset=2)])
def test_what_is_missing_has_sessions_whose_threads_would_fill_it(workspace: Workspace, goal: Goal, finished: Stored):
    every = summaries(workspace)
    proposed = propose(workspace, goal, every)
    assert proposed.missing
    sessions = sessions_to_make(workspace, proposed, every)
    assert list(sessions) == [finished.thread.dataset] and sessions[finished.thread.dataset]
    assert command_to_make(sessions)[0].startswith(f"sensorloom run --dataset {finished.thread.dataset} --session ")


def test_what_is_made_for_a_goal_goes_round_the_people(workspace: Workspace):
    dataset = made_dataset(subjects=4, each=3, labels=("laying", "walking"))
    write_dataset(workspace.data / "made", dataset)
    of_s0 = Summary("t0", shape="v4", dataset="made", session="s0_0000", status="finished", truth="laying")
    sessions = sessions_to_make(workspace, propose(workspace, Goal(label=4), [of_s0]), [of_s0])["made"]
    of = Counter((dataset.labels[session][0], dataset.subjects[session]) for session in sessions)
    assert of == {(label, f"s{person}"): 1 for label in ("laying", "walking") for person in range(4)}


def test_each_person_is_wanted_from_the_first_thread_on_but_for_those_held_out(workspace: Workspace):
    write_dataset(workspace.data / "made", made_dataset(subjects=5, each=1, labels=("laying", "walking")))
    hold_out(workspace.root, ["made/subject:s4"])
    of_s0 = Summary("t0", shape="v4", dataset="made", session="s0_0000", status="finished", truth="laying")
    of_s4 = Summary("t4", shape="v4", dataset="made", session="s4_0004", status="finished", truth="laying")
    for every in ([], [of_s0], [of_s0, of_s4]):
        far = progress(Goal(subject=1), every, Kinds(workspace))
        assert far.total == 4
        assert [name for _, _, name in far.short] == ["s0", "s1", "s2", "s3"]
    sessions = sessions_to_make(workspace, propose(workspace, Goal(subject=1), [of_s0]), [of_s0])["made"]
    assert {session.partition("_")[0] for session in sessions} >= {"s1", "s2", "s3"}


def test_an_export_says_what_it_lacks_of_the_goal(workspace: Workspace, finished: Stored):
    set_goal(workspace, Goal(total=3, calls=0, right=0))
    report = export(workspace, ExportRequest())
    assert report.warnings == ("the goal: leaving 1 of 3",)
