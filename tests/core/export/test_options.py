"""Options of an export beside each other: each changes something, or is refused."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.errors import UsageError
from core.export.options import refuse_ignored
from core.export.profiles import PROFILES
from core.export.report import ExportRequest
from core.export.run import count, export
from core.listing.index import summaries
from core.settings import ExportSettings, Settings
from core.workspace import Workspace

from .threads import Document, document, rows, workspace

OPTIONS: dict[str, tuple[str, ...]] = {
    "all": ("--all",),
    "status": ("--status",),
    "dry run": ("--dry-run",),
    "rejected": ("--rejected",),
    "filter": ("--filter", "turns<9 -session:s0"),
    "hf": ("--profile", "hf"),
    "pairs": ("--profile", "trl_dpo"),
    "new": ("--new",),
    "split": ("--split", "50/50"),
    "group": ("--group", "family"),
    "seed": ("--seed", "5"),
    "hold out": ("--hold-out", "uci_har/s3"),
    "release": ("--release", "uci_har/s2"),
    "dedupe": ("--dedupe", "exact"),
    "cap": ("--cap", "3"),
    "split calls": ("--split-calls",),
    "template": ("--template", "other"),
    "correct": ("--correct-only",),
    "call ids": ("--call-ids", "neutral"),
    "mask bad": ("--mask-bad",),
}
PASSED_OVER = {frozenset(("hf", "pairs")), frozenset(("call ids", "dry run"))}
"""Two values of one option; and how rows are written, which a dry run does not show."""


def mixed(folder: Path) -> Workspace:
    """Threads of which every option has something to say."""
    threads = [document(number, session=f"s{number % 5}") for number in range(1, 25)]
    threads += [document(number, session=f"s{number % 5}", truth="sitting") for number in range(25, 33)]
    threads[2]["messages"][-1]["content"] = "It goes on."  # unfinished
    threads[2]["metadata"]["review"] = {"verdict": "accept"}
    threads[14]["messages"][1]["label"] = "bad"
    threads[3]["metadata"]["review"] = {"verdict": "reject"}
    for number in (5, 7, 12):
        threads[number]["messages"][-1]["content"] = "Final Answer: standing"
    branches: list[Document] = []
    for number in (0, 1, 2, 6, 8, 10, 13, 16, 17, 18):  # that went wrong, which makes pairs
        thread = threads[number]
        branch = document(100 + number, session=thread["metadata"]["session"], parent_id=thread["id"], branched_at=1)
        branch["messages"][0] = thread["messages"][0]
        branch["messages"][1]["content"] = "Only a look."
        branch["messages"][-1]["content"] = "Final Answer: laying"
        branches.append(branch)
    original = threads[8]
    metadata = {**original["metadata"], "parent_id": original["id"], "branched_at": 1}
    copy = {**original, "id": f"{original['id']}0", "metadata": metadata}
    space = workspace(folder, *threads, *branches, copy)
    (folder / "splits.json").write_text(json.dumps({"held_out": ["uci_har/s2"]}))
    for profile, numbers in (("openai_v1", (0, 10, 13)), ("hf", (0, 10)), ("trl_dpo", (10, 13))):
        export(space, ExportRequest(profile, chosen=frozenset(threads[number]["id"] for number in numbers)))
    shutil.copytree(space.exports, folder / "exports before")
    return space


def outcome(space: Workspace, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Any:
    """What comes of some options; None where they are refused."""
    shutil.rmtree(space.exports)
    shutil.copytree(space.root / "exports before", space.exports)
    (space.private / "exported.cache").unlink(missing_ok=True)
    (space.root / "splits.json").write_text(json.dumps({"held_out": ["uci_har/s2"]}))
    before = {path.name for path in space.exports.iterdir()}
    arguments = itertools.chain.from_iterable(OPTIONS[name] for name in names)
    code = run_command(["export", "--json", "--workspace", str(space.root), *arguments])
    caught = capsys.readouterr()
    report = json.loads(caught.out or "{}")
    if "exported" not in report:
        assert code and "Traceback" not in caught.err
        return None
    files = sorted(path for path in space.exports.glob("*.jsonl") if path.name not in before)
    told = {
        key: report.get(key) for key in ("profile", "exported", "skipped", "balance", "never", "changed", "dry_run")
    }
    splits = json.loads((space.root / "splits.json").read_text())
    return told, [path.read_text() for path in files], splits


@pytest.mark.timeout(240)
def test_any_two_options_both_change_something_or_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = mixed(tmp_path)
    alone = {name: outcome(space, (name,), capsys) for name in OPTIONS}
    ignored: list[tuple[str, str]] = []
    refused: set[frozenset[str]] = set()
    for pair in itertools.combinations(OPTIONS, 2):
        if frozenset(pair) in PASSED_OVER:
            continue
        if (both := outcome(space, pair, capsys)) is None:
            refused.add(frozenset(pair))
        else:
            ignored += [(name, other) for name, other in (pair, pair[::-1]) if both == alone[other]]
    assert not ignored, "\n".join(map(str, ignored))
    for pair in (("hold out", "status"), ("release", "status"), ("dedupe", "status"), ("cap", "status"),
                 ("template", "hf"), ("group", "cap"), ("rejected", "pairs"), ("split calls", "pairs")):  # fmt: skip
        assert frozenset(pair) in refused, pair
    for pair in (("filter", "status"), ("hf", "split calls"), ("seed", "cap"), ("group", "split")):
        assert frozenset(pair) not in refused, pair
    assert {name for name, told in alone.items() if told is None} == {
        "group", "mask bad", "seed", "split calls", "template",
    }  # fmt: skip


def test_held_out_sessions_are_not_lost_to_a_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    workspace(tmp_path, document(1))
    where = ["--workspace", str(tmp_path)]
    assert run_command(["export", "--status", "--hold-out", "uci_har/train_16_3157", *where]) == 2
    assert "leave out `--hold-out`" in capsys.readouterr().err
    assert not (tmp_path / "splits.json").exists()


@pytest.mark.parametrize("profile", PROFILES)
def test_from_python_too_an_option_that_would_be_ignored_is_refused(tmp_path: Path, profile: str):
    space = workspace(tmp_path, document(1))
    options: list[dict[str, Any]] = [
        {"split_calls": True}, {"template": "other"}, {"call_ids": "neutral"}, {"rejected": True},
        {"correct_only": True}, {"seed": 3}, {"mask_bad": True},
    ]  # fmt: skip
    for option in options:
        (name,) = option
        if name in PROFILES[profile].options:
            refuse_ignored(ExportRequest(profile, **option))
        else:
            with pytest.raises(UsageError, match="would change nothing"):
                export(space, ExportRequest(profile, **option))


def test_a_count_is_what_an_export_writes(tmp_path: Path):
    space = mixed(tmp_path)
    for request in (ExportRequest(), ExportRequest(cap=3), ExportRequest("llamafactory", dedupe="near"),
                    ExportRequest("trl_dpo"), ExportRequest(filter="rhythm", correct_only=True)):  # fmt: skip
        counted, written = count(space, request), export(space, request)
        assert (counted.exported, counted.skipped, counted.wrong) == (written.exported, written.skipped, written.wrong)
    assert count(space, ExportRequest(filter="turns>99")).exported == 0


def _answering(number: int, answer: str, verdict: str = "") -> Document:
    thread = document(number)
    thread["messages"][-1]["content"] = f"Final Answer: {answer}"
    if verdict:
        thread["metadata"]["review"] = {"verdict": verdict}
    return thread


def test_how_many_are_wrong_is_said_and_they_can_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wrong, accepted = _answering(2, "sitting"), _answering(3, "sitting", "accept")
    space = workspace(tmp_path, document(1), wrong, accepted)
    assert count(space, ExportRequest()).wrong == 1
    assert run_command(["export", "--workspace", str(tmp_path), "--dry-run"]) == 0
    assert "wrong     1 of them" in capsys.readouterr().out
    right = export(space, ExportRequest(correct_only=True))
    assert {row["id"] for row in rows(right.path)} == {document(1)["id"], accepted["id"]}
    assert right.wrong == 0 and right.skipped == {"wrong answer": 1}
    (tmp_path / "sensorloom.toml").write_text("[export]\ncorrect_only = true\n")
    ruled = Workspace(space.root, space.threads, space.exports, space.data, Settings(export=ExportSettings(True)))
    assert export(ruled, ExportRequest()).exported == 2
    assert export(ruled, ExportRequest(correct_only=False)).exported == 3
    assert run_command(["export", "--workspace", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exported"] == 2


def test_a_cap_takes_accepted_threads_first_and_right_ones_before_wrong_ones(tmp_path: Path):
    threads = [_answering(number, "sitting" if number % 2 else "walking") for number in range(1, 13)]
    threads[0] = _answering(1, "sitting", "accept")
    space = workspace(tmp_path, *threads)
    for seed in range(3):
        first = {row["id"] for row in rows(export(space, ExportRequest(cap=4, seed=seed)).path)}
        assert threads[0]["id"] in first
        assert all(summary.correct or summary.verdict for summary in summaries(space) if summary.stem in first)
