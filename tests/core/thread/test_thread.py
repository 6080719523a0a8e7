from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies

from core.errors import ConflictError, SensorloomError, ThreadError, UsageError
from core.storage import store
from core.storage.atomic import write_atomic
from core.thread.conclusion import conclusion, final_answer, stated_confidence
from core.thread.json_form import decode, encode
from core.thread.labels import same_label
from core.thread.updates import recount, with_messages, with_metadata
from core.thread.value import Thread


def make(**metadata: Any) -> Thread:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    return Thread(
        {
            "id": "demo_a_v4_0001",
            "metadata": {"dataset": "demo", "session": "a", "ground_truth": "laying", **metadata},
            "messages": [
                {"role": "user", "content": "Dataset Information:\n{}\n\nUser Query: what is it?"},
                {"role": "assistant", "content": "look", "tool_calls": [call, {**call, "id": "c2"}]},
                {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "{}"},
                {"role": "tool", "tool_call_id": "c2", "name": "f", "content": "{}"},
                {"role": "assistant", "content": "thinking", "tool_calls": None},
                {
                    "role": "assistant",
                    "content": "so\n\nConfidence: high\nFinal Answer: Lying",
                    "tool_calls": None,
                },
            ],
        }
    )


def test_counts_come_from_the_messages():
    metadata = recount(make(num_turns=99, status="active")).metadata
    assert (metadata["num_turns"], metadata["num_tool_calls"], metadata["num_responds"]) == (3, 2, 1)
    assert (metadata["status"], metadata["is_correct"], metadata["confidence"]) == ("finished", True, "high")
    assert metadata["final_answer"] == "Lying"


def test_without_a_final_answer_the_thread_is_active_and_undecided():
    thread = make(max_turns=3)
    metadata = with_messages(thread, thread.messages[:4]).metadata
    assert (metadata["status"], metadata["is_correct"], metadata["num_responds"]) == ("active", None, 0)
    assert "final_answer" not in metadata
    no_answer = {"role": "assistant", "content": "hm", "tool_calls": None}
    metadata = with_messages(thread, [*thread.messages[:5], no_answer]).metadata
    assert metadata["status"] == "max_turns_reached"


def test_the_status_is_that_of_the_messages_whatever_the_file_says():
    thread = make(status="active", max_turns=3)
    shorter = Thread({**thread.document, "messages": thread.messages[:4], "metadata": {"status": "finished"}})
    assert (thread.status, shorter.status) == ("finished", "active")
    assert with_metadata(shorter, max_turns=1).status == "max_turns_reached"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Final Answer: walking", "walking"),
        ("**Final Answer:** walking_upstairs.", "walking_upstairs"),
        ("final answer: a\nlater\nFinal Answer: b", "b"),
        ("the final answer: is near", None),
        ("Final Answer: **", None),
        ("İ\nFinal Answer: a", "a"),
        ("nothing", None),
    ],
)
def test_final_answer_is_the_last_line_that_states_one(text: str, answer: str | None):
    assert final_answer(text) == answer


def test_confidence_is_read_in_any_case():
    assert stated_confidence("Confidence: High\nFinal Answer: x") == "high"
    assert stated_confidence("I have confidence") is None


@pytest.mark.parametrize(
    "text",
    [
        "So.\n\nConfidence: high\nFinal Answer: walking",
        "So.\n**Confidence:** Low\n**Final Answer:** `b`",
        "So.\n\nFinal Answer: b, confidence: low\n",
        "Confidence: low\nso\nFinal Answer: b",
        "Confidence: low\nFinal Answer: a\nConfidence: high\nFinal Answer: *",
        "Final Answer: a\nConfidence: high\nFinal Answer: b",
        "x\nFinal Answer: b\nConfidence: medium",
        "x\nConfidence: none\nFinal Answer: " + "b" * 200,
        "It moves.\n\nFinal Answer: b",
        "It moves: fast.\n\nFinal Answer: b",
        "CONFIDENCE: LOW\n\nFinal Answer: b",
        "",
    ],
)
def test_what_a_text_concludes_is_what_it_states_line_by_line(text: str):
    answer = final_answer(text)
    assert conclusion(text, None) == (answer, stated_confidence(text) if answer else None)
    assert conclusion(text, "medium") == (answer, (stated_confidence(text) or "medium") if answer else None)


def test_a_confidence_that_only_the_metadata_hold_is_kept():
    answer = {"role": "assistant", "content": "Final Answer: walking", "tool_calls": None}
    thread = Thread({"id": "a", "metadata": {"confidence": "high"}, "messages": [answer]})
    assert recount(thread).metadata["confidence"] == "high"
    stated = with_messages(thread, [{**answer, "content": "Confidence: low\nFinal Answer: walking"}])
    assert recount(stated).metadata["confidence"] == "low"
    assert recount(with_messages(thread, [{**answer, "content": "Not sure yet."}])).metadata["confidence"] is None


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("laying", "Lying", True),
        ("ascending_stairs", "walking upstairs", True),
        ("WALKING-UPSTAIRS", "walking_downstairs", False),
        ("jogging", "running", False),
        ("", "", False),
    ],
)
def test_labels_compare_as_people_write_them(left: str, right: str, same: bool):
    assert same_label(left, right) is same


def test_unknown_keys_keep_their_place_through_a_save(tmp_path: Path):
    document: dict[str, Any] = {"mine": 1, **make().document, "x": {"b": [1, {"z": None}], "a": "é"}}
    document["messages"][0]["note"] = "kept"
    (tmp_path / "demo_a_v4_0001.json").write_text(json.dumps(document))
    stored = store.read(tmp_path, "demo_a_v4_0001")
    saved = store.save(tmp_path, stored, with_metadata(stored.thread, tags=["good"]))
    again = json.loads((tmp_path / "demo_a_v4_0001.json").read_text())
    assert list(again) == list(document)
    assert again["messages"] == document["messages"] and again["x"] == document["x"]
    assert saved.thread.metadata["tags"] == ["good"]


def test_file_form_is_two_spaces_utf8_and_a_newline():
    data = encode(Thread({"id": "é", "metadata": {}, "messages": [], "s": "\ud800"}))
    assert data.startswith('{\n  "id": "é"'.encode()) and data.endswith(b"}\n")
    assert json.loads(data)["s"] == "\ud800"


_JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON)
@settings(max_examples=200, deadline=None)
@example([{}, [], {"": [[]]}, '\ud83d\u2028\x7f\\"\t', 1e22, -0.0, 10**30, float("nan")])
def test_what_is_written_is_laid_out_as_python_lays_it_out(value: object):
    laid_out = json.dumps({"id": "a", "messages": value}, indent=2, ensure_ascii=False) + "\n"
    written = encode(Thread({"id": "a", "messages": value})).decode()
    assert written == "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in laid_out)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b'{"id": "a", \n "messages": [', "line 2"),
        (b"[1]", "a list"),
        (b'{"a": 1}', "no thread"),
        (b'{"id": "a", "id": "b"}', "twice"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 200_000, "deep"),
        (b'{"thread_id": "a", "conversation": []}', "migrate"),
        (b'{"id": "a", "messages": []}', "metadata"),
        (b'{"id": "a", "metadata": {}, "messages": [1]}', "message 1"),
        (b'{"id": "a", "metadata": {}, "messages": [{"role": "assistant", "tool_calls": 3}]}', "tool_calls"),
    ],
)
def test_what_is_no_thread_is_refused_in_one_sentence(data: bytes, reason: str):
    with pytest.raises(ThreadError, match=reason) as caught:
        decode(data, "x.json")
    assert str(caught.value).startswith("x.json") and "\n" not in str(caught.value)


def test_saving_over_a_file_that_changed_is_refused(tmp_path: Path):
    stored = store.create(tmp_path, make())
    path = tmp_path / "demo_a_v4_0001.json"
    theirs = path.read_text().replace("thinking", "their thought")
    path.write_text(theirs)
    with pytest.raises(ConflictError, match="changed by another program"):
        store.save(tmp_path, stored, with_metadata(stored.thread, tags=["x"]))
    assert path.read_text() == theirs
    path.unlink()
    with pytest.raises(ConflictError, match="deleted"):
        store.save(tmp_path, stored, with_metadata(stored.thread, tags=["x"]))


def test_ids_are_numbered_and_never_reused_by_two_writers(tmp_path: Path):
    def build(stem: str) -> Thread:
        return Thread({**make().document, "id": stem})

    first = store.create_new(tmp_path, "uci_har", "train_16_3157", build)
    second = store.create_new(tmp_path, "uci har", "../../etc", build)
    assert (first.stem, second.stem) == ("uci_har_train_16_3157_v4_0001", "uci-har_..-..-etc_v4_0002")
    with pytest.raises(ConflictError):
        store.create(tmp_path, first.thread)


@pytest.mark.parametrize("stem", ["../out", "a/b", "", ".hidden", "a\0b", "a\\b"])
def test_no_id_leaves_the_folder(tmp_path: Path, stem: str):
    with pytest.raises(ThreadError, match="cannot be a thread's id"):
        store.read(tmp_path, stem)
    with pytest.raises(UsageError):
        store.create(tmp_path, Thread({**make().document, "id": stem}))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.json"
    write_atomic(path, b"old")

    def full_disk(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(SensorloomError, match=r"a\.json: no space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_new_keys_take_their_place_and_old_ones_stay_where_they_are():
    thread = Thread(
        {"metadata": {"status": "active", "mine": 1, "dataset": "d", "tags": []}, "id": "x", "messages": []}
    )
    assert list(with_metadata(thread, model="m", session="s").metadata) == [
        "status", "mine", "dataset", "session", "model", "tags",
    ]  # fmt: skip
    assert list(with_metadata(thread, mine=...).metadata) == ["status", "dataset", "tags"]


def test_a_file_whose_name_is_as_long_as_names_may_be_is_written(tmp_path: Path):
    path = tmp_path / f"{'歩' * 83}.json"
    write_atomic(path, b"1")
    assert [path.name for path in tmp_path.iterdir()] == [path.name]
