from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import curate
from core.cli.commands import run_command
from core.errors import UsageError, WorkspaceError
from core.filters.language import parse, select
from core.listing.index import summaries
from core.listing.statistics import statistics
from core.storage import history, store
from core.storage.store import Stored
from core.workspace import Workspace, open_workspace
from tests.core.curate.world import make_finished


def settings(workspace: Workspace, text: str) -> Workspace:
    (workspace.root / "sensorloom.toml").write_text(text)
    return open_workspace(str(workspace.root), environ={})


def review(workspace: Workspace, stem: str) -> dict[str, object]:
    return dict(store.read(workspace.threads, stem).thread.metadata.get("review", {}))


def matching(workspace: Workspace, text: str) -> list[str]:
    return [summary.stem for summary in select(workspace.threads, summaries(workspace), parse(text, workspace))]


def run(workspace: Workspace, *words: str) -> int:
    return run_command([*words, "--workspace", str(workspace.root)])


def test_a_verdict_keeps_why_and_who(workspace: Workspace, finished: Stored):
    workspace = settings(workspace, '[person]\nname = "Kai"\n')
    curate.set_verdicts(workspace, [finished.stem], "reject", "never looked at the gyroscope", ["wrong reason", "leak"])
    stated = review(workspace, finished.stem)
    assert (stated["verdict"], stated["note"], stated["by"]) == ("reject", "never looked at the gyroscope", "Kai")
    assert stated["reasons"] == ["wrong reason", "leak"]
    step = history.read(workspace, finished.stem).last
    assert step is not None
    assert (step.who, step.what) == ("Kai", "verdict reject (wrong reason, leak; never looked at the gyroscope)")
    curate.set_verdicts(workspace, [finished.stem], "reject")
    assert review(workspace, finished.stem) == stated, "the same verdict again keeps why"
    curate.set_verdicts(workspace, [finished.stem], "accept")
    assert not review(workspace, finished.stem).get("reasons"), "why it was bad is no reason for why it is good"


def test_without_a_name_in_the_settings_the_login_is_who(
    workspace: Workspace, finished: Stored, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LOGNAME", "mo")
    curate.set_verdicts(workspace, [finished.stem], "accept")
    assert review(workspace, finished.stem)["by"] == "mo"


def test_notes_reasons_and_tags_are_found_and_counted(workspace: Workspace, finished: Stored):
    other = make_finished(workspace).stem
    curate.set_verdicts(workspace, [finished.stem], "reject", "Peak of 2 Hz missed", ["leak", "badly said"])
    curate.set_verdicts(workspace, [other], "reject", reasons=["leak"])
    curate.change_tags(workspace, [other], ["hard"])
    assert matching(workspace, "reason:leak") == sorted([finished.stem, other])
    assert matching(workspace, 'reason:"badly said"') == [finished.stem]
    assert matching(workspace, "note:peak") == [finished.stem]
    assert matching(workspace, "reason:none") == matching(workspace, "-reason:any") == []
    assert matching(workspace, "tag:hard") == [other]
    counts = statistics(summaries(workspace))
    assert [(count.name, count.threads, count.rejected) for count in counts.reasons] == [
        ("leak", 2, 2),
        ("badly said", 1, 1),
    ]
    assert [(count.name, count.threads) for count in counts.tags] == [("hard", 1)]


def test_the_command_takes_reasons_by_key_or_by_words(
    workspace: Workspace, finished: Stored, capsys: pytest.CaptureFixture[str]
):
    workspace = settings(workspace, '[reasons]\nx = "too short"\ny = "Too long"\n')
    assert run(workspace, "verdict", "reject", finished.stem, "--reason", "x", "--reason", "too LONG") == 0
    assert review(workspace, finished.stem)["reasons"] == ["too short", "Too long"]
    assert run(workspace, "stats") == 0
    assert "too short" in capsys.readouterr().out
    assert run(workspace, "verdict", "reject", finished.stem, "--reason", "too shirt") == 1
    assert "did you mean `too short`?" in capsys.readouterr().err
    assert run(workspace, "verdict", "none", finished.stem, "--note", "why") == 1
    assert review(workspace, finished.stem)["verdict"] == "reject"


def test_a_reason_with_a_key_of_two_characters_is_refused(workspace: Workspace):
    with pytest.raises(WorkspaceError, match=r"sensorloom\.toml, line"):
        settings(workspace, '[reasons]\nxy = "too short"\n')


def test_one_verdict_is_taken_back_without_the_ones_after_it(workspace: Workspace, finished: Stored):
    stem = finished.stem
    curate.set_verdicts(workspace, [stem], "reject", reasons=["leak"])
    verdict = history.read(workspace, stem).steps[-1].number
    curate.change_tags(workspace, [stem], ["hard"])
    curate.set_loss(workspace, store.read(workspace.threads, stem), 1, train=False)
    stored = curate.take_back(workspace, stem, verdict)
    assert "review" not in stored.thread.metadata
    assert stored.thread.metadata["tags"] == ["hard"]
    assert stored.thread.messages[1]["train"] is False
    past = history.read(workspace, stem)
    assert past.in_force(past.step(verdict)) is False
    with pytest.raises(UsageError, match="taken back already"):
        curate.take_back(workspace, stem, verdict)
    curate.undo(workspace, stem)
    assert review(workspace, stem)["reasons"] == ["leak"]
    past = history.read(workspace, stem)
    assert past.in_force(past.step(verdict)) is True


def test_what_was_changed_again_since_is_not_taken_back(workspace: Workspace, finished: Stored):
    stem = finished.stem
    curate.set_verdicts(workspace, [stem], "reject")
    number = history.read(workspace, stem).steps[-1].number
    curate.set_verdicts(workspace, [stem], "accept")
    before = store.read(workspace.threads, stem).data
    with pytest.raises(UsageError, match=r"metadata\.review was changed again since; take back what came later first"):
        curate.take_back(workspace, stem, number)
    assert store.read(workspace.threads, stem).data == before


def test_one_tag_of_several_is_taken_back(workspace: Workspace, finished: Stored):
    stem = finished.stem
    for tag in ("hard", "odd", "short"):
        curate.change_tags(workspace, [stem], [tag])
    middle = history.read(workspace, stem).steps[-2].number
    assert curate.take_back(workspace, stem, middle).thread.metadata["tags"] == ["hard", "short"]


def test_a_thread_that_a_step_made_is_not_taken_back_to_nothing(workspace: Workspace, finished: Stored):
    with pytest.raises(UsageError, match="made the thread"):
        curate.take_back(workspace, finished.stem, 1)


def test_the_history_command_lists_all_threads_and_takes_back_a_step(
    workspace: Workspace, finished: Stored, capsys: pytest.CaptureFixture[str]
):
    other = make_finished(workspace).stem
    curate.set_verdicts(workspace, [finished.stem], "reject", reasons=["leak"])
    curate.set_verdicts(workspace, [other], "accept")
    assert run(workspace, "history", "--json") == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert [(step["id"], step["what"]) for step in steps[:2]] == [
        (other, "verdict accept"),
        (finished.stem, "verdict reject (leak)"),
    ]
    assert run(workspace, "history", finished.stem, "--take-back", str(steps[1]["number"])) == 0
    assert "taken back: verdict reject (leak)" in capsys.readouterr().out
    assert not review(workspace, finished.stem)
    assert review(workspace, other)["verdict"] == "accept"
    assert run(workspace, "history", "--take-back", "2") == 1


def test_an_old_history_without_names_is_read(workspace: Workspace, finished: Stored):
    log = next(Path(workspace.private).rglob(f"{finished.stem}.log"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text("".join(json.dumps({k: v for k, v in line.items() if k != "who"}) + "\n" for line in lines))
    assert [step.who for step in history.read(workspace, finished.stem).steps] == [""] * len(lines)
