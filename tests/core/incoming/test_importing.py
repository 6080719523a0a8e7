"""Rows of others as threads: where they belong, once each, what is refused with its line, and undo."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.cli.commands import run_command
from core.curate.undoing import redo_latest, undo_latest
from core.errors import UsageError
from core.incoming.importing import Outcome, import_threads
from core.listing.index import summaries
from core.storage.store import read
from core.storage.thread_files import stems
from core.thread.opening import first_message
from core.thread.review import verdict_of
from core.thread.turns import call_ids
from core.thread.value import Thread
from core.workspace import Workspace
from tests.core.export.threads import TOOLS, Document, document, workspace

MANIFEST = {"dataset_name": "walks", "activities": ["walking", "laying"]}

if sys.version_info >= (3, 14):
    with_zstandard = zipfile
else:
    from backports.zstd import zipfile as with_zstandard


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    folder = tmp_path / "data/walks"
    for session in ("s1_a", "s2_b"):
        (folder / "sessions" / session).mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "labels.json").write_text(json.dumps({"s1_a": ["walking"], "s2_b": ["laying"]}))
    return workspace(tmp_path)


def called(call_id: str = "call_9") -> list[Document]:
    """A plain chat with one call, as OpenAI's rows have it."""
    function = {"name": "show_channel_stats", "arguments": '{"artifact_id": "session"}'}
    return [
        dict(first_message(MANIFEST, "What is this?")),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call_id, "content": '{"std": 0.4}'},
        {"role": "assistant", "content": "It walks.\n\nFinal Answer: walking"},
    ]


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def brought(space: Workspace, path: Path) -> tuple[list[Outcome], list[Thread]]:
    outcomes = import_threads(space, [path])
    return outcomes, [read(space.threads, outcome.id).thread for outcome in outcomes if outcome.state == "new"]


def test_an_openai_row_that_names_its_session_is_about_it(space: Workspace):
    rows = write(space.root / "a.jsonl", {"messages": called("call_walks_s1_a_v4_0003_turn_1"), "tools": TOOLS})
    (outcome,), (thread,) = brought(space, rows)
    assert (thread.dataset, thread.session, thread.truth) == ("walks", "s1_a", "walking")
    assert thread.question == "What is this?" and thread.metadata["is_correct"] is True
    assert thread.messages[1]["tool_calls"][0]["id"] == thread.messages[2]["tool_call_id"] == f"call_{thread.id}_turn_1"
    assert thread.messages[2]["name"] == "show_channel_stats" and thread.messages[1]["content"] == ""
    assert outcome.matched == "its ids" and list(thread.tools or ()) == TOOLS


def test_a_row_that_names_no_session_is_under_imported_and_nothing_is_guessed(space: Workspace):
    _, (thread,) = brought(space, write(space.root / "b.jsonl", {"messages": called()}))
    assert thread.dataset == "imported" and thread.truth == "" and thread.metadata["is_correct"] is None
    assert thread.metadata["imported"] == {
        "file": "b.jsonl",
        "line": 1,
        "form": "chat messages",
        "manifest_of": "walks",
    }


def test_a_question_that_says_the_form_of_its_answer_gets_no_label(space: Workspace):
    messages = called("call_walks_s1_a_v4_0003_turn_1")
    messages[0] = dict(first_message(MANIFEST, "How many steps? End with the line `Final Answer:` and a number."))
    from core.thread.scoring import FORM

    messages[0]["content"] += " " + FORM
    _, (thread,) = brought(space, write(space.root / "c.jsonl", {"messages": messages}))
    assert (thread.session, thread.truth) == ("s1_a", "")


def test_metadata_of_others_stay_and_a_row_that_names_no_session_in_them_is_a_thread_like_any(space: Workspace):
    messages, about = called("call_walks_s1_a_v4_0003_turn_1"), {"source": "x", "review": {"verdict": "accept"}}
    _, (thread,) = brought(space, write(space.root / "m.jsonl", {"messages": messages, "metadata": about}))
    assert (thread.session, thread.truth, thread.metadata["source"]) == ("s1_a", "walking", "x")
    assert thread.question == "What is this?" and thread.metadata["imported"]["review"] == {"verdict": "accept"}


@pytest.mark.parametrize("parts", [{"conversations": slice(None)}, {"prompt": slice(1), "completion": slice(1, None)}])
def test_a_whole_thread_under_another_key_keeps_its_messages_once(space: Workspace, parts: dict[str, slice]):
    row = document(3)
    row |= {key: row["messages"][part] for key, part in parts.items()}
    del row["messages"]
    _, (thread,) = brought(space, write(space.root / "k.jsonl", row))
    assert thread.document.keys() == document(3).keys()


def test_an_id_and_metadata_that_stand_beside_the_file_are_those_of_the_line(space: Workspace):
    row = document(8)
    path = write(space.root / "o.jsonl", {"messages": called()}, {"messages": row["messages"]})
    beside = {"line": 2, "id": row["id"], "metadata": row["metadata"]}
    write(space.root / "o.lines.jsonl", beside)
    _, (other, thread) = brought(space, path)
    assert thread.id == row["id"] and thread.metadata["ground_truth"] == "walking" and other.dataset == "imported"


def test_ids_that_two_sessions_share_name_neither_and_the_same_words_about_another_session_are_another_thread(
    space: Workspace,
):
    hinted = [{"messages": called(), "dataset": "walks", "session": session} for session in ("s1_a", "s2_b")]
    outcomes, _ = brought(space, write(space.root / "p.jsonl", *hinted))
    assert [outcome.state for outcome in outcomes] == ["new", "new"]
    (space.data / "walks_s1/sessions/a").mkdir(parents=True)
    (space.data / "walks_s1/manifest.json").write_text(json.dumps(MANIFEST))
    (space.data / "walks_s1/labels.json").write_text(json.dumps({"a": ["laying"]}))
    messages = called("call_walks_s1_a_v4_0003_turn_1")
    messages[-1]["content"] = "Final Answer: laying"
    _, (thread,) = brought(space, write(space.root / "q.jsonl", {"messages": messages}))
    assert thread.dataset == "imported"


def test_the_same_row_twice_is_one_thread_in_whatever_form(space: Workspace):
    turns = [
        {"from": "human", "value": called()[0]["content"]},
        {"from": "function_call", "value": '{"name": "show_channel_stats", "arguments": {"artifact_id": "session"}}'},
        {"from": "observation", "value": '{"std": 0.4}'},
        {"from": "gpt", "value": "It walks.\n\nFinal Answer: walking"},
    ]  # fmt: skip
    path = write(space.root / "d.jsonl", {"messages": called()}, {"messages": called("x")}, {"conversations": turns})
    first, _ = brought(space, path)
    again, _ = brought(space, path)
    assert [outcome.state for outcome in (*first, *again)] == ["new", *["there"] * 5]
    assert len({outcome.id for outcome in (*first, *again)}) == 1 and len(stems(space.threads)) == 1


def test_trl_rows_with_tools_as_text_and_arguments_as_objects(space: Workspace):
    messages = called()
    messages[1] = {"role": "assistant", "tool_calls": [{"function": {"name": "x", "arguments": {"länge": 2}}}]}
    del messages[2]["tool_call_id"]
    messages[3]["weight"] = 0
    rows = write(
        space.root / "e.jsonl", {"prompt": messages[:1], "completion": messages[1:], "tools": json.dumps(TOOLS)}
    )
    _, (thread,) = brought(space, rows)
    assert thread.messages[1]["tool_calls"][0]["function"]["arguments"] == '{"länge": 2}'
    assert thread.messages[2]["name"] == "x" and thread.messages[3]["train"] is False


REFUSED: list[tuple[Any, str]] = [
    ("{", "line 1"),
    ({"text": "x"}, "a row with `text`, which is of no form that is known"),
    ({"messages": called()[:1]}, "the assistant says nothing in it"),
    ({"messages": called()[1:]}, "its first message is not the user's"),
    ({"messages": [*called()[:2], called()[3]]}, "the call of show_channel_stats before message 3 is not answered"),
    ({"messages": [called()[0], called()[2], called()[3]]}, "message 2 is a result, and no call before it"),
    ({"messages": [called()[0], {**called()[3], "weight": 0.5}]}, "message 2 has the weight 0.5"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}, called()[3]]}, "message 1 holds something"),
    ({"messages": called(), "tools": "[{"}, "`tools` is a text that is no JSON"),
    ({"conversations": [{"from": "human", "value": "a"}, {"from": "bot", "value": "b"}]}, "turn 2 is from 'bot'"),
    ({"prompt": called()[:1], "chosen": called()[3:], "rejected": called()[3:] * 2}, "it prefers nothing, or more"),
]


def test_every_row_that_is_refused_is_named_with_its_line_and_the_others_are_made(space: Workspace):
    path = write(space.root / "f.jsonl", *(row for row, _ in REFUSED), {"messages": called()})
    outcomes, threads = brought(space, path)
    assert [outcome.state for outcome in outcomes] == ["refused"] * len(REFUSED) + ["new"] and len(threads) == 1
    for number, ((_, reason), outcome) in enumerate(zip(REFUSED, outcomes, strict=False), 1):
        assert outcome.line == number and reason in outcome.sentence.replace("line 1,", "line 1,"), outcome.sentence


def test_undo_takes_all_of_it_back_and_another_import_has_no_second_copy(space: Workspace):
    path = write(space.root / "g.jsonl", {"messages": called()}, document(3), {**document(4), "extra": [1]})
    brought(space, path)
    before = {stem: (space.threads / f"{stem}.json").read_bytes() for stem in stems(space.threads)}
    assert undo_latest(space).sentence.startswith("undid: import from g.jsonl") and stems(space.threads) == []
    outcomes, _ = brought(space, path)
    assert [outcome.state for outcome in outcomes] == ["new"] * 3 and set(stems(space.threads)) == set(before)
    undo_latest(space)
    redo_latest(space)
    assert set(stems(space.threads)) == set(before)


def test_a_thread_that_was_changed_since_it_left_is_not_touched(space: Workspace):
    edited = document(5)
    path = write(space.root / "h.jsonl", document(5))
    edited["messages"][-1]["content"] = "Hm.\n\nFinal Answer: laying"
    (space.threads / f"{edited['id']}.json").write_text(json.dumps(edited))
    outcomes, (thread,) = brought(space, path)
    assert outcomes[0].state == "new" and thread.id != edited["id"] and thread.session == edited["metadata"]["session"]
    assert json.loads((space.threads / f"{edited['id']}.json").read_text()) == edited
    assert [outcome.state for outcome in brought(space, path)[0]] == ["there"]


def test_a_verdict_that_a_row_has_is_told_of_and_is_not_this_persons(space: Workspace):
    review = {"verdict": "accept", "note": "fine", "by": "ben"}
    judged = document(6)
    judged["metadata"]["review"] = review
    _, (thread,) = brought(space, write(space.root / "v.jsonl", judged))
    origin = {"file": "v.jsonl", "line": 1, "form": "openai_v1", "review": review}
    assert verdict_of(thread) == "" and thread.metadata["imported"] == origin
    assert [summary.verdict for summary in summaries(space)] == [""]


def test_preference_rows_of_one_conversation_become_one_thread(space: Workspace):
    messages, other = called(), {**called("x")[1], "content": "No."}
    first = {"prompt": messages[:1], "chosen": messages[1:2], "rejected": [other], "tools": json.dumps(TOOLS)}
    last = {"prompt": messages[:3], "chosen": messages[3:], "rejected": [other], "tools": json.dumps(TOOLS)}
    kto = [{"prompt": messages[:1], "completion": [other], "label": False}]
    path = write(space.root / "i.jsonl", first, last, *kto)
    outcomes, threads = brought(space, path)
    assert [outcome.line for outcome in outcomes] == [1, 3]
    assert len(threads[0].messages) == 4 and [other["position"] for other in threads[0].alternatives] == [1, 3]
    ids = call_ids([*threads[0].messages, *(other["messages"][0] for other in threads[0].alternatives)])
    assert len({*ids}) == len(ids) == 3, "each has calls of its own"
    assert threads[1].metadata["review"]["verdict"] == "reject"
    assert [outcome.state for outcome in brought(space, path)[0]] == ["there", "there"]


def test_logs_of_inspect_parquet_and_lists_of_json(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    call = {"id": "c", "function": "show_channel_stats", "arguments": {"artifact_id": "session"}, "type": "function"}
    logged = [
        {"role": "user", "content": "What?", "id": "m1", "source": "input"},
        {"role": "assistant", "content": [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "So:"}],
         "tool_calls": [call]},
        {"role": "tool", "content": "{}", "tool_call_id": "c", "function": "show_channel_stats"},
        {"role": "assistant", "content": "Final Answer: laying"},
    ]  # fmt: skip
    sample = {"id": 1, "messages": logged, "metadata": {"dataset": "walks", "session": "s2_b"}}
    log = space.root / "log.json"
    log.write_text(json.dumps({"version": 2, "samples": [sample]}))
    _, (thread,) = brought(space, log)
    assert (thread.session, thread.metadata["is_correct"]) == ("s2_b", True)
    assert thread.messages[1]["reasoning_content"] == "hm" and thread.messages[1]["content"] == "So:"
    with zipfile.ZipFile(space.root / "log.eval", "w") as archive:
        archive.writestr("samples/1_epoch_1.json", json.dumps(sample))
    assert [outcome.state for outcome in brought(space, space.root / "log.eval")[0]] == ["there"]
    with with_zstandard.ZipFile(space.root / "new.eval", "w", with_zstandard.ZIP_ZSTANDARD) as archive:
        archive.writestr("samples/1_epoch_1.json", json.dumps(sample))
    assert [outcome.state for outcome in brought(space, space.root / "new.eval")[0]] == ["there"]
    if with_zstandard is not zipfile:
        monkeypatch.setitem(sys.modules, "backports.zstd", None)
        with pytest.raises(UsageError, match=r"new.eval: .*Zstandard: pip install 'sensorloom\[packs\]'"):
            brought(space, space.root / "new.eval")
    table = pa.Table.from_pylist([{"messages": json.dumps(called()), "tools": json.dumps(TOOLS)}])
    pq.write_table(table, space.root / "rows.parquet")
    _, (thread,) = brought(space, space.root / "rows.parquet")
    assert list(thread.tools or ()) == TOOLS
    listed = space.root / "rows.json"
    listed.write_text(json.dumps([{"messages": called()}, 3]))
    assert [outcome.state for outcome in brought(space, listed)[0]] == ["there", "refused"]


def test_the_command_says_what_became_of_rows_and_a_file_of_rows_is_listed_with_it(
    space: Workspace, capsys: pytest.CaptureFixture[str]
):
    write(space.threads / "old.jsonl", {"messages": called()}, {"text": "x"})
    (listed,) = summaries(space)
    assert listed.stem == "old.jsonl" and "`sensorloom import-threads old.jsonl` makes threads" in listed.problem
    root = ["--workspace", str(space.root)]
    assert run_command(["import-threads", "old.jsonl", "--dry-run", *root]) == 1 and stems(space.threads) == []
    assert run_command(["import-threads", "old.jsonl", *root]) == 1
    told = capsys.readouterr().out
    assert "old.jsonl, line 2: a row with `text`" in told and "1 under `imported`" in told
    with pytest.raises(UsageError, match="its name ends in none of"):
        import_threads(space, [space.root / "a.csv"])
