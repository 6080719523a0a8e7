"""A judge model beside the person: scores with the rubric's version, and how well both agree."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from core import curate
from core.errors import UsageError
from core.listing.agreement import agreement
from core.storage import store
from core.teaching.judge import read_rubric
from core.thread.summary import Summary
from core.workspace import Workspace
from tests.core.teaching.test_hinted import assert_no_truth, with_a_truth_of_its_own
from tests.core.teaching.test_paraphrase import finished
from tests.fake_server import fails, fake_server, says
from tests.tui.motion import motion_workspace
from tui.__main__ import run

GOOD = says('Here it is: {"reason": "It measures before it concludes.", "score": 4, "verdict": "accept"}', 20)
BAD = says('{"reason": "It guesses.", "score": 2, "verdict": "reject"}', 20)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = motion_workspace(tmp_path)
    (workspace.root / "rubric.md").write_text("Measure before you conclude.\n")
    return workspace


def judge(workspace: Workspace, url: str, *arguments: str, rubric: str = "rubric.md") -> int:
    options = ("--workspace", str(workspace.root), "--endpoint", url, "--model", "fake", "--json")
    return run(["judge", *arguments, "--rubric", str(workspace.root / rubric), *options])


def test_a_score_is_kept_with_the_rubrics_version_and_undone(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    with_a_truth_of_its_own(workspace)
    stem = finished(workspace).stem
    with fake_server(GOOD, BAD, GOOD) as server:
        assert judge(workspace, server.url, stem) == 0
        assert "Measure before you conclude." in server.requests[0]["messages"][0]["content"]
        assert "detect_periodicity" in server.requests[0]["messages"][1]["content"]
        (workspace.root / "rubric.md").write_text("Be brief.\n")
        assert judge(workspace, server.url, stem) == 0
        assert judge(workspace, server.url, stem) == 0
        assert_no_truth(server.requests)
    judgements = store.read(workspace.threads, stem).thread.metadata["judgements"]
    versions = [
        hashlib.sha256(text.encode()).hexdigest()[:12] for text in ("Measure before you conclude.\n", "Be brief.\n")
    ]
    assert [(entry["rubric_sha256"], entry["score"], entry["verdict"]) for entry in judgements] == [
        (versions[0], 4, "accept"), (versions[1], 4, "accept"),
    ]  # fmt: skip
    curate.undo(workspace, stem)
    assert store.read(workspace.threads, stem).thread.metadata["judgements"][-1]["verdict"] == "reject"


@pytest.mark.parametrize("command", [["judge", "--rubric", "rubric.md"], ["paraphrase"], ["faithfulness"]])
def test_what_the_server_would_not_be_asked_is_said_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], command: list[str]
):
    (workspace.root / "sensorloom.toml").write_text("[model]\nseed = 3\n")
    stem = finished(workspace).stem
    command = [str(workspace.root / word) if word == "rubric.md" else word for word in command]
    with fake_server(fails(400, "Unsupported parameter: seed"), GOOD) as server:
        run([*command, stem, "--workspace", str(workspace.root), "--trust", "--endpoint", server.url, "--model", "m"])
    assert capsys.readouterr().err.count("refuses `seed`") == 1


def test_stats_say_how_well_judge_and_person_agree(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    stems = [finished(workspace).stem for _ in range(3)]
    with fake_server(GOOD, BAD, GOOD) as server:
        assert judge(workspace, server.url, *stems) == 0
    curate.set_verdicts(workspace, stems[:1], "accept")
    curate.set_verdicts(workspace, stems[1:], "reject")
    capsys.readouterr()
    assert run(["stats", "--workspace", str(workspace.root)]) == 0
    assert "judge and person agree on 2 of 3 threads, kappa 0.40" in capsys.readouterr().out
    assert run(["stats", "--workspace", str(workspace.root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["judge"]
    assert (told["threads"], told["agreed"]) == (3, 2) and told["kappa"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("pairs", "kappa"),
    [
        ({("accept", "accept"): 20, ("accept", "reject"): 5, ("reject", "accept"): 10, ("reject", "reject"): 15}, 0.4),
        ({("accept", "accept"): 7}, None),
        ({("accept", "reject"): 1, ("reject", "accept"): 1}, -1.0),
    ],
)
def test_kappa_is_cohens(pairs: dict[tuple[str, str], int], kappa: float | None):
    every = [
        Summary("t", verdict=person, judge=model) for (person, model), number in pairs.items() for _ in range(number)
    ]
    every += [Summary("t", verdict="skip", judge="accept"), Summary("t", verdict="accept")]
    counts = agreement(every)
    assert counts is not None and counts.threads == sum(pairs.values())
    assert counts.kappa == (None if kappa is None else pytest.approx(kappa))
    assert agreement(every[-2:]) is None


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("It is fine.", "it holds no JSON object"),
        ('{"score": 9, "verdict": "accept"}', "score 9, verdict 'accept'"),
        ('{"score": "high"}', "gave no judgement that can be read"),
    ],
)
def test_what_is_no_judgement_is_told_and_changes_nothing(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], reply: str, reason: str
):
    stored = finished(workspace)
    with fake_server(says(reply)) as server:
        assert judge(workspace, server.url, stored.stem) == 1
        assert reason in capsys.readouterr().out
        assert judge(workspace, server.url, stored.stem, rubric="none.md") == 1
        assert "none.md cannot be read" in capsys.readouterr().err
        with pytest.raises(UsageError, match="no such person's folder"):
            read_rubric(Path("~nobody-here/rubric.md"))
    assert store.read(workspace.threads, stored.stem).digest == stored.digest
