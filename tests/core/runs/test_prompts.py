"""Prompts of one's own: kept by their checksum, shown examples that give no label away, and exported on request."""

from __future__ import annotations

import asyncio
import errno
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from core import curate
from core.curate import examples
from core.curate.prompts import ahead_of, examples_lacking
from core.curate.task import form_named, is_changed
from core.errors import ThreadError, UsageError
from core.export.report import ExportRequest, NothingToExportError
from core.export.run import count, export
from core.export.split import parse_split
from core.filters.language import parse
from core.listing.summary import summarize
from core.model.client import Model
from core.model.endpoints import ModelChoice
from core.runs.job import Job
from core.storage import store
from core.storage.splits_file import hold_out, read_book, release
from core.storage.store import Stored, read
from core.teaching.difficulty import measure
from core.thread.form import COMPACT, FULL, SHOWN, TaskForm, form_in, record_of
from core.thread.proposal import Generation, Proposal
from core.thread.updates import with_metadata
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace
from tests.core.runs.recording import Recording, plain
from tests.core.runs.told import told_by
from tests.tools.made import made_dataset, write_dataset
from tui.__main__ import run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accepted compact threads of three people."""
    root = tmp_path_factory.mktemp("prompts")
    write_dataset(root / "data" / "made", made_dataset(4, 1))
    (root / "prompts").mkdir()
    (root / "prompts" / "terse.txt").write_text("Be terse.\n")
    (root / "sensorloom.toml").write_text('[task]\nform = "compact"\n[run]\nevidence = "reference"\n')
    workspace = open_workspace(str(root), environ={})
    jobs = [Job("made", session, "What?", 1) for session in ("s0_0000", "s1_0005", "s2_0010", "s2_0008")]
    ran = asyncio.run(told_by(workspace, jobs, Model(ModelChoice()), parallel=1))
    for result in ran:
        assert result.stored is not None and result.finished, result.error
        curate.set_verdicts(workspace, [result.stored.stem], "accept")
    return root


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return open_workspace(str(root), environ={})


def form(**changes: object) -> TaskForm:
    import msgspec

    return msgspec.structs.replace(COMPACT, **changes)


def begun(workspace: Workspace, session: str = "s3_0012", **changes: object) -> Stored:
    return curate.create_thread(workspace, "made", session, "What?", form=form(**changes))


def shown(stored: Stored) -> list[str]:
    return [value.partition("@")[0] for value in stored.thread.metadata["form"].get(SHOWN, [])]


def test_a_prompt_is_kept_as_it_was(workspace: Workspace, root: Path) -> None:
    stored = begun(workspace, system="terse.txt")
    file = root / "prompts" / "terse.txt"
    assert ahead_of(workspace, stored.thread).system == "Be terse."
    try:
        file.write_text("Be verbose.\n")
        assert ahead_of(workspace, stored.thread).system == "Be terse."
        for path in (workspace.private / "prompts").iterdir():
            path.unlink()
        with pytest.raises(UsageError, match="that it was begun with is not there any more"):
            ahead_of(workspace, stored.thread)
    finally:
        file.write_text("Be terse.\n")
    assert ahead_of(workspace, stored.thread).system == "Be terse."


@pytest.mark.parametrize("name", ["../secret.txt", "{root}/secret.txt", "x/../../secret.txt"])
def test_a_thread_or_a_setting_names_no_file_outside_of_prompts(workspace: Workspace, root: Path, name: str) -> None:
    (root / "secret.txt").write_text("key")
    name = name.format(root=root)
    thread = begun(workspace).thread
    theirs = with_metadata(thread, form={**thread.metadata["form"], "system": name})
    with pytest.raises(UsageError, match="no file's name"):
        ahead_of(workspace, theirs)
    with pytest.raises(UsageError, match="no file's name"):
        begun(workspace, question=name)


def test_a_form_that_was_read_from_a_file_is_the_same(workspace: Workspace) -> None:
    stored = curate.create_thread(workspace, "made", "s3_0012", "What?", form=form_named(workspace, "full"))
    metadata = json.loads(json.dumps(stored.thread.metadata))
    assert not is_changed(workspace, metadata) and not is_changed(workspace, stored.thread.metadata)
    assert record_of(form_in(metadata))["sha256"] == record_of(FULL)["sha256"]


def test_another_prompt_is_told(workspace: Workspace, root: Path) -> None:
    stored = begun(workspace)
    assert not is_changed(workspace, stored.thread.metadata)
    settings = root / "sensorloom.toml"
    before = settings.read_text()
    try:
        settings.write_text(before.replace("[run]", 'system = "terse.txt"\n[run]'))
        other = open_workspace(str(root), environ={})
        (root / "prompts" / "terse.txt").write_text("Other words.\n")
        known = {*(other.private / "prompts").glob("*")}
        assert form_named(other).system == "terse.txt" and is_changed(other, stored.thread.metadata)
        summary = summarize(workspace.threads, stored.stem)
        assert parse("form:changed", other).on_summary(summary)
        assert {*(other.private / "prompts").glob("*")} == known  # who looks writes nothing
        assert not parse("form:changed", workspace).on_summary(summary)
    finally:
        settings.write_text(before)
        (root / "prompts" / "terse.txt").write_text("Be terse.\n")


def test_examples_give_no_label_away(workspace: Workspace, root: Path) -> None:
    """None is of the session's own person, whoever that is, nor of anybody who is held out."""
    for session in ("s0_0001", "s1_0006", "s2_0009", "s3_0012"):
        people = {stem.split("_")[1] for stem in shown(begun(workspace, session, few_shot=4))}
        assert people == {"s0", "s1", "s2"} - {session[:2]}
    hold_out(root, ["made/subject:s2"])
    try:
        assert {stem.split("_")[1] for stem in shown(begun(workspace, few_shot=4))} == {"s0", "s1"}
        named = next(path.stem for path in workspace.threads.glob("made_s2_0010*.json"))
        with pytest.raises(UsageError, match="kept out of training"):
            begun(workspace, few_shot=(named,))
    finally:
        release(root, ["made/subject:s2"])
    with pytest.raises(UsageError, match="the same person"):
        begun(workspace, "s2_0008", few_shot=(named,))


def test_a_thread_that_could_not_be_got_at_for_a_moment_is_an_example_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = next(iter(shown(begun(workspace, few_shot=1))))
    path = workspace.threads / f"{example}.json"
    path.write_text(path.read_text() + " ")  # its file is another one now, and looked at anew

    def broken(folder: Path, stem: str) -> Stored:
        if stem == example:
            raise ThreadError(f"{stem}.json: Input/output error") from OSError(errno.EIO, "Input/output error")
        return read(folder, stem)

    with monkeypatch.context() as while_broken:
        while_broken.setattr(examples, "read", broken)
        assert example not in shown(begun(workspace, few_shot=1))
    assert example in shown(begun(workspace, few_shot=1))


UNFIT = {
    "its answer is wrong": {"ground_truth": "jumping"},
    "its evidence is `measure`": {"evidence": "measure"},
    "of another form": {"form": {"name": "full"}},
}


@pytest.mark.parametrize("reason", UNFIT)
def test_what_is_of_another_kind_or_wrong_is_no_example(workspace: Workspace, reason: str) -> None:
    example = read(workspace.threads, shown(begun(workspace, few_shot=1))[0])
    other = with_metadata(example.thread, **UNFIT[reason])
    stem = f"made_{[*UNFIT].index(reason)}"
    store.create(workspace.threads, Thread({**other.document, "id": stem}))
    with pytest.raises(UsageError, match=reason):
        begun(workspace, few_shot=(stem,))
    with pytest.raises(UsageError, match="calls tools that are not offered"):
        begun(workspace, few_shot=(example.stem,), tools=("look_up_ranges",))


def test_each_label_is_shown_once_before_any_again(workspace: Workspace) -> None:
    for session in ("s3_0012", "s3_0013", "s3_0014", "s3_0015"):
        stems = shown(begun(workspace, session, few_shot=3))
        assert len({read(workspace.threads, stem).thread.truth for stem in stems}) == 3
    apart = replace(workspace, threads=workspace.root / "evaluations" / "trial" / "m")
    assert shown(begun(apart, few_shot=1)), "those of the workspace"


def test_where_nobody_knows_who_it_is_sessions_that_are_numbered_alike_are_one_person(
    workspace: Workspace, root: Path
) -> None:
    nobody = made_dataset(2, 1)
    nobody.subjects.clear()
    write_dataset(root / "data" / "nobody", nobody)
    example = read(workspace.threads, shown(begun(workspace, few_shot=1))[0])
    unknown = with_metadata(example.thread, dataset="nobody", session="s0_0000")
    store.create(workspace.threads, Thread({**unknown.document, "id": "nobody_0"}))
    wanted = form(few_shot=("nobody_0",))
    with pytest.raises(UsageError, match="the same person"):
        curate.create_thread(workspace, "nobody", "s0_0001", "What?", form=wanted)
    assert shown(curate.create_thread(workspace, "nobody", "s1_0004", "What?", form=wanted)) == ["nobody_0"]


def test_an_example_is_shown_as_it_was_or_not_at_all(workspace: Workspace) -> None:
    stored = begun(workspace, few_shot=1)
    (example,) = shown(stored)
    before = ahead_of(workspace, stored.thread).examples
    for path in (workspace.private / "prompts").iterdir():
        path.write_text("[]")
    assert ahead_of(workspace, stored.thread).examples == before, "the thread itself is there as it was"
    file = workspace.threads / f"{example}.json"
    text = file.read_text()
    try:
        file.write_text(text.replace("What?", "Who?"))
        with pytest.raises(UsageError, match="not there as it was any more"):
            ahead_of(workspace, stored.thread)
    finally:
        file.write_text(text)
        for path in (workspace.private / "prompts").iterdir():
            path.unlink()


def test_fewer_examples_than_asked_for_are_said(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert not examples_lacking(begun(workspace, few_shot=2).thread)
    command = ["run", "--dataset", "made", "--session", "s3_0012", "--session", "s3_0013", "--question", "What?"]
    where = ("--workspace", str(workspace.root), "--endpoint", "builtin", "--evidence", "reference", "--parallel", "1")
    assert run([*command, "--few-shot", "9", *where]) == 0
    told = capsys.readouterr().err
    assert len(re.findall(r"is shown \d of 9 examples: no other accepted thread", told)) == 1, "once for all of them"


def test_threads_made_apart_are_shown_the_examples_of_the_workspace(workspace: Workspace) -> None:
    model, told = Recording(ModelChoice()), list[str]()
    job = Job("made", "s3_0012", "What?", 1, form=form(few_shot=1), evidence="reference")
    asyncio.run(measure(workspace, [job], model, attempts=2, parallel=1, ended=lambda ran: told.append(ran.error)))
    assert told == ["", ""] and len(shown(begun(workspace, few_shot=1))) == 1
    questions = [sum(message["role"] == "user" for message in asked) for asked, _ in model.asked]
    assert questions and min(questions) == 2, "the example's and its own"


def test_where_no_tools_are_offered_neither_request_nor_row_holds_examples(workspace: Workspace) -> None:
    job = Job("made", "s3_0014", "What?", 1, form=form(system="terse.txt", few_shot=1), evidence="reference")
    model = Recording(ModelChoice())
    (ran,) = asyncio.run(told_by(workspace, [job], model, parallel=1, tools=()))
    assert ran.stored is not None and ran.finished, ran.error
    report = export(workspace, ExportRequest("openai", chosen=frozenset((ran.stored.stem,)), with_system=True))
    (row,) = map(json.loads, report.files[0].path.read_text().splitlines())
    assert [plain(message) for message in row["messages"][:-1]] == [plain(message) for message in model.asked[-1][0]]
    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]


def test_a_request_and_the_row_hold_the_same(workspace: Workspace) -> None:
    """With the system prompt and an example: what is asked for the last turn is the row, but for the answer."""
    model = Recording(ModelChoice())
    job = Job("made", "s3_0014", "What?", 1, form=form(system="terse.txt", few_shot=1))
    (ran,) = asyncio.run(told_by(workspace, [job], model, parallel=1))
    assert ran.stored is not None and ran.finished, ran.error
    report = export(workspace, ExportRequest("openai", chosen=frozenset((ran.stored.stem,)), with_system=True))
    (row,) = map(json.loads, report.files[0].path.read_text().splitlines())
    asked, tools = model.asked[-1]
    assert [plain(message) for message in row["messages"][:-1]] == [plain(message) for message in asked]
    assert [tool["function"] for tool in row["tools"]] == [tool["function"] for tool in tools]


def test_what_was_sent_leaves_with_the_thread_and_examples_are_not_trained(workspace: Workspace, root: Path) -> None:
    changed = form(system="terse.txt", few_shot=1)
    job = Job("made", "s3_0013", "What?", 1, form=changed)
    (ran,) = asyncio.run(told_by(workspace, [job], Model(ModelChoice()), parallel=1))
    assert ran.stored is not None and ran.finished, ran.error
    stored = read(workspace.threads, ran.stored.stem)
    (example,) = shown(stored)
    length = len(read(workspace.threads, example).thread.messages)
    request = ExportRequest("hf", chosen=frozenset((stored.stem,)), with_system=True)
    report = export(workspace, request)
    (row,) = map(json.loads, report.files[0].path.read_text().splitlines())
    messages = row["messages"]
    assert messages[0] == {"role": "system", "content": "Be terse."}
    assert len(messages) == 1 + length + len(stored.thread.messages)
    trained = [at for at, message in enumerate(messages) if message.get("train")]
    assert trained and min(trained) > length
    subject = read(workspace.threads, example).thread.session[:2]
    assert_split_refuses(workspace, stored.stem, example)
    person = f"made/subject:{subject}"
    hold_out(root, [person])
    try:
        with pytest.raises(NothingToExportError, match="kept out of training"):
            export(workspace, request)
    finally:
        release(root, [person])


def assert_split_refuses(workspace: Workspace, stem: str, example: str) -> None:
    """A split that puts them on different sides for the first time sees what the example's side is now."""
    for seed in range(40):
        request = ExportRequest("hf", chosen=frozenset((stem, example)), with_system=True)
        split = replace(request, split=parse_split("50/50", "subject", seed), seed=seed)
        report = count(workspace, split)
        if any(refusal.stem == stem for refusal in report.refusals):
            (refusal,) = report.refusals
            assert refusal.sentence.startswith(f"its example {example} is of somebody who is kept out of training")
            assert not read_book(workspace.root).assigned, "nobody was put on a side before, nor is by counting"
            return
    raise AssertionError("no seed put them on different sides")


@pytest.mark.parametrize("profile", ["trl_dpo", "trl_kto", "openai_dpo", "llamafactory_dpo"])
def test_pairs_come_after_what_was_sent(workspace: Workspace, profile: str) -> None:
    """The prompt of a pair is what was asked: the system prompt, the example, the thread until the ways part."""
    model = Recording(ModelChoice())
    job = Job("made", "s3_0014", "What?", 1, form=form(system="terse.txt", few_shot=1), evidence="reference")
    (ran,) = asyncio.run(told_by(workspace, [job], model, parallel=1))
    assert ran.stored is not None and ran.finished, ran.error
    curate.set_verdicts(workspace, [ran.stored.stem], "accept")
    stored = read(workspace.threads, ran.stored.stem)
    last = len(stored.thread.messages) - 1
    worse = Proposal(last, ({"role": "assistant", "content": "Final Answer: sitting"},), Generation("m"))
    curate.set_aside(workspace, stored, worse, "discarded")
    request = ExportRequest(profile, chosen=frozenset((stored.stem,)), with_system=True)
    (file,) = export(workspace, request).files
    row = json.loads(file.path.read_text().splitlines()[0])
    asked = model.asked[-1][0]
    if profile == "llamafactory_dpo":
        turns = row["conversations"]
        assert turns[0] == {"from": "system", "value": "Be terse."}
        assert [turn["from"] for turn in turns].count("human") == 2 and turns[-1]["from"] == "observation"
    else:
        prompt = row["input"]["messages"] if profile == "openai_dpo" else row["prompt"]
        told = [[(m["role"], m["content"] or "", bool(m.get("tool_calls"))) for m in each] for each in (prompt, asked)]
        assert told[0] == told[1]
    bare = count(workspace, replace(request, with_system=False))
    assert bare.exported == 1


def test_llamafactory_takes_the_system_prompt_and_no_examples(workspace: Workspace) -> None:
    stems: list[str] = []
    for few_shot in (0, 1):
        job = Job("made", "s3_0014", "What?", 1, form=form(system="terse.txt", few_shot=few_shot), evidence="reference")
        (ran,) = asyncio.run(told_by(workspace, [job], Model(ModelChoice()), parallel=1))
        assert ran.stored is not None
        stems.append(ran.stored.stem)
    report = export(workspace, ExportRequest("llamafactory", chosen=frozenset(stems), with_system=True))
    (row,) = map(json.loads, report.files[0].path.read_text().splitlines())
    assert row["conversations"][0] == {"from": "system", "value": "Be terse."}
    (refusal,) = report.refusals
    assert refusal.stem == stems[1] and "examples count" in refusal.sentence
