"""What the keys of curation do, as commands: on real threads of the demo dataset."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.storage import store, thread_files
from core.thread.value import calls_of
from core.workspace import Workspace, open_workspace
from tui.__main__ import run

Run = Callable[..., tuple[int, str, str]]
A, B, C = (f"demo_made_v4_{number:04d}" for number in (1, 2, 3))


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory, copy_demo: Callable[[Path], None]) -> Path:
    """A workspace with three finished threads."""
    root = tmp_path_factory.mktemp("curated")
    workspace = open_workspace(str(root), environ={})
    copy_demo(root)
    assert run(["run", "--workspace", str(root), "--dataset", "demo", "--count", "3", "--seed", "4"]) == 0
    for stem, name in zip(thread_files.stems(workspace.threads), (A, B, C), strict=True):
        data = thread_files.path_of(workspace.threads, stem).read_bytes().replace(stem.encode(), name.encode())
        thread_files.path_of(workspace.threads, stem).unlink()
        thread_files.path_of(workspace.threads, name).write_bytes(data)
    shutil.rmtree(workspace.private / "history")
    return root


@pytest.fixture
def workspace(curated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Those three threads, with nothing done to them yet."""
    shutil.copytree(curated / "threads", tmp_path / "threads")
    (tmp_path / ".sensorloom").mkdir()
    (tmp_path / ".sensorloom" / "features").symlink_to(curated / ".sensorloom" / "features")
    (tmp_path / "sensorloom.toml").write_text(f'[paths]\ndata = "{curated / "data"}"\n')
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.chdir(tmp_path)
    return open_workspace(environ={})


@pytest.fixture
def sensorloom(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the workspace: exit code, standard output, standard error."""
    capsys.readouterr()

    def called(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        told = capsys.readouterr()
        return code, told.out, told.err

    return called


def bytes_of(workspace: Workspace) -> dict[str, bytes]:
    return {
        stem: thread_files.path_of(workspace.threads, stem).read_bytes()
        for stem in thread_files.stems(workspace.threads)
    }


def metadata(workspace: Workspace, stem: str) -> Any:
    return store.read(workspace.threads, stem).thread.metadata


def messages(workspace: Workspace, stem: str) -> Any:
    return store.read(workspace.threads, stem).thread.messages


def test_a_verdict_on_several_is_undone_and_redone_as_one(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)
    code, out, err = sensorloom("verdict", "reject", A, f"threads/{B}.json", "--note", "too short")
    assert (code, out, err) == (0, "verdict reject (too short): 2 threads\n", "")
    review = metadata(workspace, B)["review"]
    assert (review["verdict"], review["note"]) == ("reject", "too short")
    assert "review" not in metadata(workspace, C)
    code, out, _ = sensorloom("verdict", "reject", "--filter", "status:finished", "--json")
    told = json.loads(out)
    assert code == 0 and told["changed"] == [C] and (told["selected"], told["unchanged"]) == (3, 2)
    assert metadata(workspace, A)["review"]["note"] == "too short", "the same verdict again keeps its note"
    assert sensorloom("undo")[1] == f"undid: verdict reject · {C}\n"
    code, out, _ = sensorloom("undo")
    assert code == 0 and out.startswith("undid: verdict reject (too short) of 2 threads · ")
    assert bytes_of(workspace) == before
    code, out, _ = sensorloom("redo", "--json")
    told = json.loads(out)
    assert told["said"] == "did again: verdict reject (too short) of 2 threads" and sorted(told["changed"]) == [A, B]
    sensorloom("verdict", "none", A, B)
    assert bytes_of(workspace).keys() == before.keys() and "review" not in metadata(workspace, A)


def test_a_dry_run_changes_nothing(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)
    for arguments in (["verdict", "accept"], ["tag", "+x"], ["delete"]):
        code, out, _ = sensorloom(*arguments, "--filter", "dataset:demo", "--dry-run")
        assert code == 0 and out.endswith(": would be 3 threads; nothing was changed\n")
        code, out, _ = sensorloom(*arguments, A, "--dry-run", "--json")
        told = json.loads(out)
        assert code == 0 and told["threads"] == [A] and told["dry_run"] is True
    assert bytes_of(workspace) == before and not (workspace.private / "history").exists()


def test_tags_are_added_and_removed(workspace: Workspace, sensorloom: Run):
    assert sensorloom("tag", "+good", "+hard", A, B) == (0, "tags +good +hard: 2 threads\n", "")
    code, out, _ = sensorloom("tag", "-hard", "+new", "--filter", "tags:hard", "--json")
    assert code == 0 and json.loads(out)["changed"] == [A, B]
    assert metadata(workspace, A)["tags"] == ["good", "new"]
    assert sensorloom("tag", "+good", A)[1] == "tags +good: 0 threads, 1 unchanged\n"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["verdict", "accept"], 1, "name threads, or select them with --filter"),
        (["verdict", "accept", "--filter", " "], 1, "name threads, or select them with --filter"),
        (["delete", "--filter", "dataset:nothing"], 1, "no thread matches the filter 'dataset:nothing'"),
        (["delete", "--filter", "dateset:demo"], 1, "did you mean `dataset`?"),
        (["verdict", "accept", A, "nothere"], 1, "there is no thread 'nothere' in threads"),
        (["verdict", "accept", "../secret"], 1, "../secret.json: a name that cannot be a thread's id"),
        (["verdict", "good", A], 2, "'good' is not one of"),
        (["tag", A], 1, "name a tag to add as +TAG"),
        (["tag", "+x", "-x", A], 1, "both to be added and removed"),
        (["tag", "+", "x", A], 1, "`+` names no tag"),
        (["tag", "+x", A, "--fliter", "y"], 2, "No such option"),
        (["edit", A, "--message", "2"], 1, "say what it is to be"),
        (["edit", A, "--message", "99", "--text", "x"], 1, "messages, no number 99"),
        (["edit", A, "--message", "1", "--tool", "x"], 1, "calls no tool; --text changes it"),
        (
            ["edit", A, "--message", "2", "--arguments", '{"nope": 1}', "--call", "1"],
            1,
            "turn 1: tool_calls[0].arguments",
        ),
        (["edit", A, "--message", "2", "--arguments", "{}"], 1, "message 2 has 2 calls; say which with --call"),
        (["edit", A, "--message", "2", "--from", "nofile"], 1, "nofile cannot be read: no such file"),
        (["edit", "nothere", "--message", "2", "--text", "x"], 1, "there is no such thread"),
        (["branch", A, "--at", "77"], 1, "turns, no number 77"),
        (["settle", A], 1, "say how: --accept, --branch or --rerun"),
        (["edit", A, "--message", "2", "--text", "x", "--endpoint", "nope"], 1, "--endpoint is for --run-again"),
        (["edit", A, "--message", "2", "--text", "x", "--model", "m"], 1, "--model is for --run-again"),
        (
            ["edit", A, "--message", "2", "--text", "x", "--run-again", "--endpoint", "nope"],
            1,
            "there is no endpoint 'nope'",
        ),
        (["settle", A, "--accept", "--endpoint", "nope"], 1, "--endpoint is for --rerun"),
        (["settle", A, "--rerun", "--endpoint", "nope"], 1, "there is no endpoint 'nope'"),
        (["sample", A, "--take", "0", "--temperature", "nan"], 2, "`nan` is not a number >= 0"),
        (["delete", A, "--turn", "77"], 1, "turns, no number 77"),
        (["delete", A, "--turn", "1", "--filter", "status:active"], 1, "name that alone"),
        (["loss", "out", A, "--turn", "77"], 1, "turns, no number 77"),
        (["sample", A, "--count", "2"], 1, "say which sample becomes the turn with --take"),
        (["trash", "restore", A], 1, f"{A} is not in the trash"),
        (["trash", "restore"], 1, "name threads of the trash, or give --all"),
        (["history", "nothere"], 1, "and never was"),
        (["undo"], 1, "there is nothing to undo"),
        (["undo", A], 1, f"there is nothing to undo in {A}"),
        (["redo"], 1, "there is nothing to redo"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    workspace: Workspace, sensorloom: Run, arguments: list[str], code: int, sentence: str
):
    before = bytes_of(workspace)
    exit_code, out, err = sensorloom(*arguments)
    assert (exit_code, out) == (code, "")
    assert err.startswith("sensorloom: ") and err.count("\n") == 1 and sentence in err
    assert bytes_of(workspace) == before


def test_a_file_that_is_no_thread_is_told_and_the_rest_is_done(workspace: Workspace, sensorloom: Run):
    (workspace.threads / "broken.json").write_text("{")
    code, out, err = sensorloom("verdict", "skip", "broken", C)
    assert (code, out) == (1, "verdict skip: 1 thread\n")
    assert err.startswith("sensorloom: broken.json") and err.count("\n") == 1
    assert sensorloom("delete", "broken")[0] == 0
    assert sensorloom("undo", "broken")[1] == "undid: deletion · broken\n"
    assert (workspace.threads / "broken.json").read_text() == "{"


def test_an_edited_call_is_executed_and_what_rests_on_it_is_stale(workspace: Workspace, sensorloom: Run):
    old = messages(workspace, A)
    number = next(index for index, message in enumerate(old) if calls_of(message))
    shorter = '{"start_sec": 0, "end_sec": 2}'
    where = ["edit", A, "--message", str(number + 1)]
    code, out, err = sensorloom(*where, "--tool", "filter_by_time", "--arguments", shorter, "--call", "1")
    assert (code, err) == (0, "")
    assert out.startswith(f"{A}: edited turn 1; stale now: message ")
    new = messages(workspace, A)
    assert json.loads(new[number + 1]["content"])["window_sec"] == [0.0, 2.0]
    assert len(new) == len(old) and new[-1]["stale"]
    code, out, _ = sensorloom("show", A)
    assert code == 0 and f"   {number + 1}  turn 1\n" in out and "[stale]" in out and "▸ filter_by_time" in out
    code, out, _ = sensorloom("settle", A, "--rerun", "--json")
    told = json.loads(out)
    assert code == 0 and told["said"] == "stale turns taken off to be run again"
    assert told["run"]["status"] == "finished" and len(old) in told["stale"]
    assert not any(message.get("stale") for message in messages(workspace, A))
    assert sensorloom("settle", A, "--accept")[1] == f"{A}: nothing is stale\n"


def test_a_question_is_edited_alone_and_run_again(workspace: Workspace, sensorloom: Run, tmp_path: Path):
    (tmp_path / "question.txt").write_text("Is the person moving\nat all?\n")
    first = messages(workspace, B)[0]["content"]
    code, out, _ = sensorloom(
        "edit", B, "--message", "1", "--from", "question.txt", "--run-again", "--endpoint", "builtin", "--json"
    )
    told = json.loads(out)
    assert code == 0 and told["what"] == "the question" and told["settled"]["run"]["status"] == "finished"
    after = messages(workspace, B)[0]["content"]
    head = first.partition("User Query: ")[0]
    assert after == f"{head}User Query: Is the person moving\nat all?"
    assert metadata(workspace, B)["user_query"] == "Is the person moving\nat all?"


def test_the_last_of_the_turns_is_worded_anew_and_the_run_goes_on(workspace: Workspace, sensorloom: Run):
    stem = sensorloom("branch", A, "--at", "1")[1].strip()
    old = messages(workspace, stem)
    code, out, _ = sensorloom("edit", stem, "--message", "2", "--text", "I look first.", "--run-again")
    assert (code, out) == (0, f"{stem}: edited turn 1\nnothing is stale\n")
    new = messages(workspace, stem)
    assert new[1]["content"] == "I look first." and new[2 : len(old)] == old[2:]
    assert metadata(workspace, stem)["status"] == "finished"


def test_a_result_edited_by_hand_is_settled_on_a_branch(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)[C]
    number = next(number for number, message in enumerate(messages(workspace, C), 1) if message["role"] == "tool")
    assert sensorloom("edit", C, "--message", str(number), "--text", '{"x": 1}')[0] == 0
    code, out, _ = sensorloom("settle", C, "--branch", "--json")
    child = next(stem for stem in thread_files.stems(workspace.threads) if stem not in (A, B, C))
    told = json.loads(out)
    assert (code, told["said"], told["branch"]) == (0, f"stale turns moved to {child}", child)
    assert metadata(workspace, child)["parent_id"] == C
    assert sensorloom("undo", C)[0] == 0 and sensorloom("undo", C)[0] == 0
    assert bytes_of(workspace)[C] == before and child not in bytes_of(workspace)


def test_branches_at_a_turn_and_at_the_question(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)[A]
    code, out, err = sensorloom("branch", A, "--at", "1")
    stem = out.strip()
    assert (code, err) == (0, "") and metadata(workspace, stem)["num_turns"] == 1
    code, out, _ = sensorloom("branch", A, "--question", "Which sport is it?", "--json")
    told = json.loads(out)
    assert (code, told["num_turns"], told["user_query"]) == (0, 0, "Which sport is it?")
    assert messages(workspace, told["id"])[-1]["content"].endswith("User Query: Which sport is it?")
    whole = sensorloom("branch", A)[1].strip()
    assert len(messages(workspace, whole)) == len(messages(workspace, A))
    assert bytes_of(workspace)[A] == before


def test_turns_are_kept_out_of_the_loss_and_taken_in_again(workspace: Workspace, sensorloom: Run):
    before = messages(workspace, A)
    assert sensorloom("loss", "out", A, "--turn", "1", "--turn", "2") == (0, f"{A}: turn 1, 2 out of the loss\n", "")
    turns = [message for message in messages(workspace, A) if message["role"] == "assistant"]
    assert [message.get("train") for message in turns[:3]] == [False, False, None]
    assert sensorloom("loss", "in", A, "--turn", "1", "--turn", "2", "--json")[0] == 0
    assert messages(workspace, A) == before


def test_turns_of_all_that_a_filter_selects_leave_the_loss_as_one_step(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)
    code, out, _ = sensorloom("loss", "out", "--filter", "status:finished", "--turn", "1")
    assert (code, out) == (0, "turn 1 out of the loss: 3 threads\n")
    assert sensorloom("undo")[0] == 0 and bytes_of(workspace) == before
    code, out, err = sensorloom("loss", "out", A, B, "--turn", "77", "--json")
    assert code == 1 and json.loads(out)["changed"] == [] and f"{B} has" in err


def test_a_filter_says_what_is_replayed_and_what_is_run_on(workspace: Workspace, sensorloom: Run):
    code, out, _ = sensorloom("replay", "--filter", f"id:{A},{B}", "--json")
    assert code == 0 and [thread["id"] for thread in json.loads(out)["threads"]] == [A, B]
    assert sensorloom("replay", "--filter", "id:nothere")[0] == 1
    assert sensorloom("run", "--dataset", "demo", "--max-turns", "1")[0] == 1
    (stopped,) = bytes_of(workspace).keys() - {A, B, C}
    assert "are finished" in sensorloom("run", "--filter", "status:finished")[2]
    code, out, err = sensorloom("run", "--filter", "dataset:demo", "--max-turns", "12", "--json")
    assert code == 0 and [thread["id"] for thread in json.loads(out)["threads"]] == [stopped]
    assert "3 threads of the filter left out: finished" in err


def test_what_the_goal_lacks_is_made_and_queued(workspace: Workspace, sensorloom: Run):
    assert "no goal is set" in sensorloom("run", "--goal")[2]
    assert sensorloom("goal", "set", "total=20", "label=3", "calls=0", "path=0")[0] == 0
    code, out, _ = sensorloom("goal", "propose", "--keep", "--json")
    told = json.loads(out)
    picks, missing = [pick["stem"] for pick in told["threads"]], {kind["name"]: kind for kind in told["missing"]}
    assert code == 0 and told["missing_total"] == 20 - len(picks) and len(missing) > 3
    assert [
        line.split()[0] for line in sensorloom("list", "--filter", "saved:proposed", "--sort", "asked")[1].splitlines()
    ][: len(picks)] == picks
    code, out, _ = sensorloom("run", "--goal", "--count", "4", "--json")
    labels = [thread["ground_truth"] for thread in json.loads(out)["threads"]]
    assert code == 0 and len(set(labels)) == 4 and set(labels) <= missing.keys()
    code, out, _ = sensorloom("run", "--goal", "--count", "2", "--kind", "resting,choice", "--json")
    assert code == 0 and [thread["question_kind"] for thread in json.loads(out)["threads"]] == ["resting", "choice"]


def test_a_turn_is_taken_out_and_comes_back(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)[A]
    turns = json.loads(before)["metadata"]["num_turns"]
    code, out, err = sensorloom("delete", A, "--turn", "1", "--json")
    told = json.loads(out)
    assert (code, err, told["id"], told["turn"]) == (0, "", A, 1) and told["stale"]
    after = json.loads(bytes_of(workspace)[A])
    assert after["metadata"]["num_turns"] == turns - 1 and after["alternatives"][-1]["reason"] == "discarded"
    assert sensorloom("undo", A)[0] == 0 and bytes_of(workspace)[A] == before
    assert f"{A}: turn 1 taken out; stale now: message" in sensorloom("delete", A, "--turn", "1")[1]


def test_calls_are_executed_anew(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)[A]
    code, out, _ = sensorloom("edit", A, "--message", "2", "--execute", "--json")
    assert (code, json.loads(out)["changed"]) == (0, False) and bytes_of(workspace)[A] == before
    assert sensorloom("edit", A, "--message", "3", "--text", "{}")[0] == 0
    code, out, _ = sensorloom("edit", A, "--message", "2", "--execute", "--json")
    assert (code, json.loads(out)["changed"]) == (0, True)
    assert messages(workspace, A)[2]["content"] == json.loads(before)["messages"][2]["content"]
    code, _, err = sensorloom("edit", A, "--message", "2", "--execute", "--text", "x")
    assert code == 1 and "give it alone" in err


def test_samples_are_proposed_and_one_is_taken(workspace: Workspace, sensorloom: Run):
    stem = sensorloom("branch", A, "--at", "1")[1].strip()
    code, out, err = sensorloom("sample", stem, "--count", "3", "--take", "2", "--endpoint", "builtin", "--json")
    told = json.loads(out)
    assert (code, err, told["taken"], len(told["samples"])) == (0, "", 2, 3)
    document = store.read(workspace.threads, stem).thread.document
    assert document["messages"][-1]["content"] == told["samples"][1][-1]["content"]
    assert [kept_turn["reason"] for kept_turn in document["alternatives"]] == ["sampled", "sampled"]
    code, _, err = sensorloom("sample", A, "--take", "1")
    assert code == 1 and err == f"sensorloom: {A} is finished; branch from one of its turns to go on differently\n"


def test_the_history_says_what_when_and_what_was_before(workspace: Workspace, sensorloom: Run):
    first = bytes_of(workspace)[A]
    (workspace.root / "sensorloom.toml").write_text('[person]\nname = "Kai"\n')
    sensorloom("tag", "+x", A)
    sensorloom("verdict", "accept", A, B)
    sensorloom("undo", A)
    code, out, _ = sensorloom("history", A)
    lines = [line[27:] for line in out.splitlines()]
    assert code == 0 and lines[:3] == [
        "tags +x · Kai",
        "verdict accept, with other threads · Kai  (not in force)",
        "undid step 2: verdict accept, with other threads · Kai",
    ]
    told = json.loads(sensorloom("history", A, "--json")[1])
    assert [step["in_force"] for step in told["steps"]] == [True, False, None]
    assert all(step["at"].endswith("+00:00") for step in told["steps"])
    assert sensorloom("history", A, "--before", "1")[1].encode() == first
    difference = sensorloom("history", A, "--diff", "1")[1].splitlines()
    assert '+      "x"' in difference and difference[0] == "--- before step 1"


def test_deleted_threads_come_back_byte_for_byte(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)
    assert sensorloom("delete", "--filter", "dataset:demo") == (0, "moved to the trash: 3 threads\n", "")
    assert not bytes_of(workspace)
    assert sensorloom("trash", "list")[1] == f"{A}\n{B}\n{C}\n3 threads in the trash\n"
    assert sensorloom("history", A)[1].endswith("and no file now; times are UTC\n")
    code, out, _ = sensorloom("trash", "restore", B, "--json")
    assert code == 0 and json.loads(out)["changed"] == [B]
    assert sensorloom("trash", "restore", "--all")[0] == 0
    assert bytes_of(workspace) == before
    assert json.loads(sensorloom("trash", "list", "--json")[1]) == []


def test_text_of_a_thread_is_shown_without_obeying_it(workspace: Workspace, sensorloom: Run, hostile: str):
    number = len(messages(workspace, A))
    document = json.loads(bytes_of(workspace)[A])
    document["messages"][number - 1]["content"] = hostile
    (workspace.threads / "h.json").write_text(json.dumps({**document, "id": "h"}))
    for arguments in (["show", "h"], ["show", "h", "--json"]):
        code, out, _ = sensorloom(*arguments)
        assert code == 0 and not any((ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 for char in out)
    code, _, err = sensorloom("tag", f"+{hostile.replace(chr(0), '')}", "h")
    assert code == 0, err


def test_the_commands_are_grouped_in_the_help(sensorloom: Run):
    code, out, _ = sensorloom("--help")
    assert code == 0
    headings = [line for line in out.splitlines() if line.endswith(":") and not line.startswith((" ", "Usage"))]
    assert headings[:4] == ["Options:", "Make threads:", "Look:", "Curate:"]
    assert headings[4:] == ["Check and export:", "Measure:", "Data and tools:"]


def test_turns_are_put_in_moved_parted_and_joined(workspace: Workspace, sensorloom: Run):
    before = bytes_of(workspace)[A]
    calling = next(number for number, message in enumerate(messages(workspace, A), 1) if calls_of(message))
    where = ["edit", A, "--message", str(calling)]
    code, out, err = sensorloom(*where, "--insert", "assistant", "--tool", "show_channel_stats")
    assert (code, err) == (0, "") and out.startswith(f"{A}: put the assistant's message after turn 1; stale now: ")
    assert sensorloom(*where, "--move", "down")[0] == 0
    assert sensorloom(*where, "--join")[0] == 0
    assert len(calls_of(messages(workspace, A)[calling - 1])) >= 2
    code, out, _ = sensorloom(*where, "--split-calls", "--json")
    assert code == 0 and json.loads(out)["changed"]
    for arguments, reason in (
        (["--move", "up"], "question that opens a thread stays first"),
        (["--insert", "user"], "say what is put in"),
        (["--join", "--split-calls"], "give one of"),
        (["--move", "down", "--text", "x"], "--move takes no --text"),
    ):
        code, _, err = sensorloom(*where, *arguments)
        assert code == 1 and reason in err
    for _ in range(4):
        assert sensorloom("undo", A)[0] == 0
    assert bytes_of(workspace)[A] == before


def test_the_tree_of_a_session_names_where_each_branch_leaves(workspace: Workspace, sensorloom: Run):
    child = sensorloom("branch", A, "--at", "1")[1].strip()
    code, out, _ = sensorloom("tree", child)
    lines = out.splitlines()
    assert code == 0 and lines[0].startswith(f"  {A} ") and lines[1].startswith(f"* └─ {child}  from message ")
    told = json.loads(sensorloom("tree", A, "--json")[1])
    assert [(node["id"], node["depth"]) for node in told[:2]] == [(A, 0), (child, 1)]
    assert sensorloom("tree", "nowhere")[0] == 1


def test_something_is_said_or_whispered_before_a_run_goes_on(workspace: Workspace, sensorloom: Run):
    stem = sensorloom("branch", A, "--at", "1")[1].strip()
    assert sensorloom("run", stem, "--say", "Look at the rhythm, too.", "--endpoint", "builtin")[0] == 0
    spoken = [message["content"] for message in messages(workspace, stem) if message["role"] == "user"]
    assert spoken[1:] == ["Look at the rhythm, too."] and metadata(workspace, stem)["status"] == "finished"
    other = sensorloom("branch", A, "--at", "1")[1].strip()
    assert sensorloom("run", other, "--whisper", "Look at the rhythm, too.", "--endpoint", "builtin")[0] == 0
    assert metadata(workspace, other)["made_by"]["hint"] == "stripped"
    assert b"rhythm, too" not in bytes_of(workspace)[other]
    for arguments, reason in (([A, "--say", "x"], "finished"), (["--dataset", "demo", "--say", "x"], "name one")):
        code, _, err = sensorloom("run", *arguments)
        assert code == 1 and reason in err
