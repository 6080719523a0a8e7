from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.errors import UsageError, WorkspaceError
from core.export.report import ExportReport, ExportRequest, NothingToExportError
from core.export.run import export
from core.export.split import assign, parse_split
from core.listing.index import summaries
from core.storage import export_log_file as log_file
from core.storage.export_log import export_states
from core.storage.splits_file import hold_out
from core.workspace import Workspace

from .threads import Document, document, put, rows, workspace

LABELS = ("walking", "sitting", "laying")


def folder(count: int, start: int = 0) -> list[Document]:
    """Threads of ten subjects and three labels, two threads of each session."""
    threads: list[Document] = []
    for number in range(start, start + count):
        session = f"train_{number % 10}_{number // 2}"
        threads.append(document(number + 1, session=session, truth=LABELS[number % 3]))
    return threads


def sides(report: ExportReport) -> dict[str, str]:
    """Thread id to side."""
    return {row["id"]: file.split for file in report.files for row in rows(file.path)}


def sessions_of(report: ExportReport, part: int) -> dict[str, set[str]]:
    """Group to sides, by a part of the session's name."""
    groups: dict[str, set[str]] = {}
    for file in report.files:
        for row in rows(file.path):
            groups.setdefault("_".join(row["metadata"]["session"].split("_")[:part]), set()).add(file.split)
    return groups


@pytest.mark.parametrize(("group", "part"), [("subject", 2), ("session", 3)])
def test_no_group_stands_on_two_sides_and_all_sides_have_threads(tmp_path: Path, group: Any, part: int):
    space = workspace(tmp_path, *folder(120))
    report = export(space, ExportRequest(split=parse_split("80/10/10", group)))
    assert [file.split for file in report.files] == ["train", "val", "test"]
    assert all(len(sides_of_session) == 1 for sides_of_session in sessions_of(report, part).values())
    assert sum(file.rows for file in report.files) == 120
    assert [file.path.name.rsplit("_", 1)[1] for file in report.files] == ["train.jsonl", "val.jsonl", "test.jsonl"]


def test_labels_come_out_in_proportion(tmp_path: Path):
    report = export(workspace(tmp_path, *folder(240)), ExportRequest(split=parse_split("90/10", "session")))
    for label in LABELS:
        share = report.balance["val"][label] / (report.balance["val"][label] + report.balance["train"][label])
        assert 0.07 <= share <= 0.13


def test_a_side_that_lacks_labels_is_said_without_naming_one(tmp_path: Path):
    space = workspace(
        tmp_path, *(document(n + 1, session=f"train_{n // 3}_{n}", truth=LABELS[n % 3]) for n in range(9))
    )
    assert export(space, ExportRequest(split=parse_split("70/30"))).warnings == ()
    (tmp_path / "few").mkdir()
    space = workspace(
        tmp_path / "few", *(document(n + 1, session=f"train_{n}_1", truth=LABELS[n % 3]) for n in range(6))
    )
    (warning,) = export(space, ExportRequest(split=parse_split("90/10"))).warnings
    assert warning == "val has 1 of the 3 labels that are trained on; more threads of more people would fill it"


def test_a_branch_goes_with_its_parent(tmp_path: Path):
    documents = folder(20)
    for number, thread in enumerate(documents):
        if number % 2:
            thread["metadata"] |= {"parent_id": documents[number - 1]["id"], "branched_at": 4}
    by_id = sides(export(workspace(tmp_path, *documents), ExportRequest(split=parse_split("70/30", "family"))))
    assert all(by_id[documents[n]["id"]] == by_id[documents[n + 1]["id"]] for n in range(0, 20, 2))


def test_threads_that_are_added_move_nobody(tmp_path: Path):
    space = workspace(tmp_path, *folder(60))
    request = ExportRequest(split=parse_split("80/20", "session", seed=3))
    before = sides(export(space, request))
    for thread in folder(90, start=60):
        put(space.threads, thread)
    after = sides(export(space, request))
    assert len(after) == 150 and all(after[stem] == side for stem, side in before.items())
    assert 0.15 <= Counter(after.values())["val"] / 150 <= 0.25


def test_a_split_is_the_same_again_and_another_under_another_seed(tmp_path: Path):
    def sides_by(name: str, seed: int) -> dict[str, str]:
        root = tmp_path / name
        root.mkdir()
        return sides(export(workspace(root, *folder(60)), ExportRequest(split=parse_split("50/50", "session", seed))))

    assert sides_by("a", 1) == sides_by("b", 1) != sides_by("c", 2)


def test_large_and_unknown_groups_are_assigned_by_what_is_missing():
    groups = {"a": Counter(x=50), "b": Counter(x=5), "c": Counter(x=45), "known": Counter(x=1)}
    assigned = assign(groups, {"known": "val", "gone": "train"}, parse_split("90/10"))
    assert assigned["known"] == "val" and assigned["a"] == "train" and set(assigned) == set(groups)


@pytest.mark.parametrize("text", ["90", "90/0", "a/b", "1/2/3/4", "90-10"])
def test_a_split_that_cannot_be_read_is_answered_with_one_that_can(text: str):
    with pytest.raises(UsageError, match=r"such as 90/10|at least 1"):
        parse_split(text)


def test_held_out_sessions_are_named_once_and_never_trained_on(tmp_path: Path):
    space = workspace(tmp_path, *folder(40))
    hold_out(space.root, ["uci_har/subject:3"])
    plain = export(space, ExportRequest())
    assert plain.skipped == {"held out": 4} and not any(
        "_3_" in row["metadata"]["session"][5:8] for row in rows(plain.path)
    )
    split = export(space, ExportRequest(split=parse_split("80/10/10", "subject")))
    held = {row["id"]: file.split for file in split.files for row in rows(file.path) if "train_3_" in row["id"]}
    assert len(held) == 4 and set(held.values()) == {"test"}


def test_held_out_names_of_another_form_and_a_damaged_book_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="dataset/session"):
        hold_out(tmp_path, ["train_1_1"])
    (tmp_path / "splits.json").write_text('{"held_out": 3}')
    with pytest.raises(WorkspaceError, match=r"splits\.json.*mend it"):
        export(workspace(tmp_path, document()), ExportRequest())


def test_the_book_keeps_what_others_put_there(tmp_path: Path):
    (tmp_path / "splits.json").write_text('{"mine": 1, "held_out": ["a/b"]}')
    hold_out(tmp_path, ["c/d", "a/b"])
    assert json.loads((tmp_path / "splits.json").read_text()) == {"held_out": ["a/b", "c/d"], "assigned": {}, "mine": 1}


def test_caps_hold_for_each_label_and_do_not_hang_on_the_others(tmp_path: Path):
    space = workspace(tmp_path, *folder(30))
    first = export(space, ExportRequest(cap=4, seed=1))
    assert first.balance == {"": dict.fromkeys(sorted(LABELS), 4)} and first.skipped == {
        "over the cap of its label": 18
    }
    put(space.threads, document(99, session="train_9_99", truth="cycling"))
    second = export(space, ExportRequest(cap=4, seed=1))
    assert set(sides(first)) < set(sides(second))


def test_duplicates_are_left_out_exact_or_near(tmp_path: Path):
    words = " ".join(f"word{number} leads to word{number * 3}." for number in range(40))
    original, same, near, other = (document(number) for number in (1, 2, 3, 4))
    for each in (original, same, near):
        each["messages"][0]["content"] = each["metadata"]["user_query"] = "What is it?"
        each["messages"][1]["content"] = words
    near["messages"][1]["content"] = words.replace("word7 leads", "word7 points")
    for each, source in ((same, original),):
        each["messages"] = source["messages"]
    space = workspace(tmp_path, original, same, near, other)
    exact = export(space, ExportRequest(dedupe="exact"))
    assert exact.exported == 3 and exact.refusals[0].sentence == f"says what {original['id']} says"
    assert export(space, ExportRequest(dedupe="near")).exported == 2
    assert export(space, ExportRequest()).exported == 4


def test_the_log_tells_new_exported_and_changed_and_comes_back_from_the_manifests(tmp_path: Path):
    space = workspace(tmp_path, *folder(4))
    new = ExportRequest(new_only=True)
    assert export(space, new).exported == 4
    with pytest.raises(NothingToExportError, match="4 exported already"):
        export(space, new)
    changed = document(1, session="train_0_0", tags=["x"])
    put(space.threads, changed)
    put(space.threads, document(50))
    (space.private / "exported.cache").unlink()
    report = export(space, new)
    assert report.exported == 2 and report.skipped == {"exported already": 3}
    assert export(space, ExportRequest("hf", new_only=True)).exported == 5


def states(space: Workspace) -> dict[str, int]:
    return {state: len(some) for state, some in export_states(space, summaries(space)).items()}


@pytest.mark.parametrize("harm", ["cut short", "more behind it", "of another folder"])
def test_a_damaged_log_is_made_anew_from_the_manifests(tmp_path: Path, harm: str):
    space = workspace(tmp_path, *folder(4))
    export(space, ExportRequest(filter="truth:walking"))
    export(space, ExportRequest("hf", filter="truth:sitting"))
    log = space.private / "exported.cache"
    data = log.read_bytes()
    damaged = {
        "cut short": data[:-3],
        "more behind it": data + b"xyz",
        "of another folder": data.replace(b"exp", b"abc"),
    }
    log.write_bytes(damaged[harm])
    assert states(space) == {"never": 1, "exported": 3, "changed": 0}
    log.write_bytes(damaged[harm])
    assert export(space, ExportRequest(filter="truth:laying")).exported == 1
    assert states(space) == {"never": 0, "exported": 4, "changed": 0}


def test_a_log_of_many_exports_is_written_anew_with_what_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    space = workspace(tmp_path, *folder(6))
    assert export(space, ExportRequest(filter="truth:sitting")).exported == 2
    once = (space.private / "exported.cache").stat().st_size
    monkeypatch.setattr(log_file, "MOST_BYTES", 3 * once)
    for _ in range(6):
        for profile in ("openai_v1", "hf"):
            export(space, ExportRequest(profile, filter="truth:walking"))
            shutil.rmtree(space.exports)  # what has left is known without them
            assert (space.private / "exported.cache").stat().st_size <= 3 * once
    put(space.threads, document(1, session="train_0_0", tags=["x"]))
    assert states(space) == {"never": 2, "exported": 3, "changed": 1}
    assert export(space, ExportRequest(new_only=True)).exported == 3


def test_an_export_of_the_same_threads_takes_the_place_of_the_last_one_in_the_log(tmp_path: Path):
    space = workspace(tmp_path, *folder(6))
    log = space.private / "exported.cache"
    export(space, ExportRequest(filter="truth:walking"))
    before = log.stat().st_size
    export(space, ExportRequest(filter="truth:walking"))
    assert log.stat().st_size == before
    export(space, ExportRequest(filter="truth:sitting"))
    assert log.stat().st_size > before and states(space) == {"never": 2, "exported": 4, "changed": 0}


def test_the_command_says_which_threads_are_new_exported_or_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = workspace(tmp_path, *folder(2))
    export(space, ExportRequest())
    put(space.threads, document(1, session="train_0_0", tags=["x"]))
    put(space.threads, document(9))
    assert run_command(["export", "--status", "--json", "--workspace", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {state: len(stems) for state, stems in printed.items()} == {"never": 1, "exported": 1, "changed": 1}
    assert run_command(["export", "--status", "--workspace", str(tmp_path)]) == 0
    assert "changed   uci_har_train_0_0_v4_0001" in capsys.readouterr().out


def test_the_manifest_tells_what_was_asked_and_what_left(tmp_path: Path):
    space = workspace(tmp_path, *folder(30))
    report = export(space, ExportRequest(filter="truth:walking,sitting", split=parse_split("80/20", "session")))
    manifest = json.loads(report.beside[-1].read_text())
    assert manifest["request"]["filter"] == "truth:walking,sitting" and manifest["counts"]["exported"] == 20
    assert manifest["split"]["group"] == "session" and set(manifest["split"]["groups"]) == {"train", "val"}
    assert [file["rows"] for file in manifest["files"]] == [file.rows for file in report.files]
    assert manifest["files"][0]["path"] == report.files[0].path.name and len(manifest["threads"]) == 20
    assert set(manifest["threads"][0]) == {"stem", "sha256", "rows", "split", "group"}
    assert manifest["balance"] == {side: dict(labels) for side, labels in report.balance.items()}
    assert "sensorloom" in manifest["versions"]


def test_the_command_takes_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    workspace(tmp_path, *folder(30))
    options = ["--filter", "-truth:laying", "--profile", "hf", "--split", "90/10", "--group", "session", "--cap", "8"]
    code = run_command(["export", "--json", "--workspace", str(tmp_path), *options, "--hold-out", "uci_har/train_1_0"])
    printed = json.loads(capsys.readouterr().out)
    assert code == 0 and printed["exported"] <= 16 and printed["profile"] == "hf"
    assert run_command(["export", "--workspace", str(tmp_path), "--filter", "stauts:x"]) != 0
    assert "did you mean `status`" in capsys.readouterr().err


def test_what_is_held_out_takes_nobodys_place_under_a_cap(tmp_path: Path):
    space = workspace(tmp_path, *folder(40))
    hold_out(space.root, ["uci_har/subject:1", "uci_har/subject:2", "uci_har/subject:3"])
    done = export(space, ExportRequest(cap=4))
    assert done.balance == {"": dict.fromkeys(sorted(LABELS), 4)} and done.skipped["held out"] > 4
