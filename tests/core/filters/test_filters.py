from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.export.report import ExportRequest
from core.export.run import export
from core.filters.completions import completions
from core.filters.language import parse, select
from core.filters.values import FilterError
from core.listing.index import summaries
from core.thread.summary import Summary, summary_of
from core.thread.updates import recount
from core.thread.value import Thread
from core.workspace import open_workspace

ONE = Summary(
    "uci_har_a_v4_0001", size=6000, shape="v4", id="uci_har_a_v4_0001", dataset="uci_har", session="train_16_3157",
    status="finished", truth="walking_upstairs", answer="Walking Upstairs", correct=True, confidence="high", turns=4,
    calls=3, verdict="", tags=("good", "hard case"), created="2026-11-20T10:00:00+00:00",
    modified="2026-11-21T10:00:00+00:00", tools_used=("compute_spectrum", "select_channels"), model="qwen3",
    seed="7", tokens=1500, edited=2, rejected_turns=1,
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "status:finished", "STATUS:Finished", "status:finished,active", "status:fin", "-status:active",
        "correct:true", "-correct:false", "dataset:uci_har", "dataset:uci*", "-dataset:wisdm,pamap2",
        "truth:walking_upstairs", "truth:ascending_stairs", "label:upstairs", 'answer:"walking upstairs"',
        "confidence:high", "tools>=2", "tools:3", "tools:2..5", "turns<6", "turns!=5", "calls=3", "responds:0",
        "tools:compute_spectrum", "tool:compute_*", "-tools:nearest_examples", "verdict:none", "-verdict:any",
        "tag:good", 'tag:"hard case"', "-tag:bad", "stale:false", "stale:0", "-has:stale", "has:tags", "has:answer",
        "parent:none", "model:qwen3", "session:train_16_*", "id:*0001", "shape:v4", "size>5k", "size<0.1mb",
        "created:2026-11-20", "created:2026-11", "modified>2026-11-20", "modified>=2026-11-21", "created<2026-11-21",
        "status:finished correct:true tools>=2 turns<6 verdict:none tag:good",
        "status:active OR turns:4", "(status:active OR correct:true) tools>=2", "-(status:active OR turns:9)",
        "status:active turns:4 OR tools:3 verdict:none", "-(-(status:finished))", "(turns:4)(tools:3)",
        "seed:7", "tokens>1k", "edited:true", "edited:2", "rejected_turns>0", "-rejected_turns>1",
    ],
)  # fmt: skip
def test_terms_that_hold_select(text: str):
    wanted = parse(text)
    assert not wanted.needs_file
    assert wanted.on_summary(ONE) and wanted.possible([Summary("a"), ONE, ONE])[-2:] == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "status:active", "-status:finished", "correct:false", "correct:none", "dataset:wisdm", "dataset:uci",
        "truth:walking", "answer:none", "tools>3", "turns:5", "tag:none", "tag:goo", "verdict:accept", "stale:true",
        "has:parent", "created>2026-11-20", "created:2026-12", "status:finished turns>9", "turns!=4",
        "status!=finished", "status:active OR turns:9", "(status:active OR correct:true) tools>9",
        "status:finished turns:9 OR tools:9", "-(status:active OR turns:4)", "seed:none", "tokens<1k", "edited:false",
    ],
)  # fmt: skip
def test_terms_that_do_not_hold_do_not_select(text: str):
    assert not parse(text).on_summary(ONE) and not {1, 2} & {*parse(text).possible([Summary("a"), ONE, ONE])}


@pytest.mark.parametrize(
    ("text", "position", "sentence"),
    [
        ("status:finished statu:active", 17, "there is no term `statu`; did you mean `status`?"),
        ("status:finshed", 8, "`finshed` is no value of status; did you mean `finished`?"),
        ("-confidence:hihg", 13, "did you mean `high`?"),
        ("tools>=two", 8, "`two` is no number; write `tools>=2`"),
        ("turns>=2..3", 8, "is no number"),
        ("dataset>3", 8, "`dataset` does not compare with `>`; write `dataset:3`"),
        ("created>yesterday", 9, "is no date; write `created>=2026-11-21`"),
        ('peak answer:"walking up', 13, "the quote is not closed"),
        ("status:", 8, "`status` needs a value: active, finished, max_turns_reached"),
        ("has:alternative", 5, "did you mean `alternatives`?"),
        ("http://x", 1, "put it in quotes"),
        ("(turns:4 OR (tools:3)", 1, "the parenthesis is not closed"),
        ("turns:4 ()", 9, "nothing between the parentheses"),
        ("(" * 9999 + "turns:4" + ")" * 9999, 51, "more than 50 times"),
        (")(", 1, "this parenthesis was never opened"),
        ("(turns:4) OR tools:3)", 21, "this parenthesis was never opened"),
        ("OR turns:4", 1, "`OR` needs a term before it"),
        ("turns:4 OR", 9, "`OR` needs a term after it"),
        ("(turns:4 OR statu:active)", 13, "did you mean `status`?"),
        ("tools>1 call(is:eror)", 17, "did you mean `error`?"),
        ("call(turn:first)", 11, "`first` is no number"),
        ("call(tool>3)", 10, "`tool` does not compare"),
        ("call(compute_spectrum", 5, "the parenthesis is not closed"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_the_nearest_word(text: str, position: int, sentence: str):
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert str(caught.value).startswith(f"filter, character {position}: ")
    assert sentence in str(caught.value)


def thread(**metadata: Any) -> dict[str, Any]:
    call = {"function": {"name": "compute_spectrum", "arguments": '{"channel_names": ["Gyro\\u005fz"]}'}, "id": "c"}
    return {
        "id": "a",
        "metadata": {"dataset": "d", "user_query": "Gehört das dazu?", **metadata},
        "messages": [
            {"role": "user", "content": 'Dataset Information:\n{"activities": ["sitting"]}\n\nUser Query: Gehört das?'},
            {"role": "assistant", "content": 'A "Strong" rhythm', "tool_calls": [call], "train": False},
            {"role": "tool", "tool_call_id": "c", "content": '{"error": "GR\\u00d6SSE", "peak_hz": 1.95}'},
            {"role": "assistant", "content": "Final Answer: walking", "reasoning_content": "Hmm, odd"},
        ],
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.json").write_text(json.dumps(thread()))
    (tmp_path / "b.json").write_text(json.dumps({**thread(), "id": "b"}, ensure_ascii=False))
    (tmp_path / "broken.json").write_text("{")
    return tmp_path


LISTING = [Summary("a"), Summary("b"), Summary("broken")]


@pytest.mark.parametrize(
    "text",
    [
        "strong", "STRONG", '"strong"', "gehört", "GEHÖRT", "größe",
        "gyro_z", "compute_spectrum", "1.95", "peak_hz", "odd", "query:dazu", "assistant:rhythm", "result:größe",
        "arguments:gyro_z", "text:rhythm", "has:untrained", "has:errors", "-has:edited", "-has:alternatives",
        '"rhythm" peak_hz -nothing', '-"not there"',
    ],
)  # fmt: skip
def test_free_text_looks_into_questions_messages_arguments_and_results_as_they_read(folder: Path, text: str):
    wanted = parse(text)
    assert wanted.needs_file
    assert [summary.stem for summary in select(folder, LISTING, wanted)] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["nothing", "-strong", "query:rhythm", "result:strong", "sitting", "has:note", "u00d6"]
)
def test_free_text_that_is_not_there_selects_nothing(folder: Path, text: str):
    assert not list(select(folder, LISTING, parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "call(compute_spectrum error)", "call(compute_* gyro_z größe)", "call(tool:compute_spectrum is:error turn:1)",
        "call(peak_hz>1.9 peak_hz<2)", "call(channel_names:gyro_z)", "call(nothing OR error)", "-call(unanswered)",
        "call(compute_spectrum -(turn>1 OR edited))", 'call("1.95")', "status:active OR rhythm", "(nothing OR strong)",
        "-(nothing OR status:active)", "nothing OR call(untrained)", "OR_not", "nothing OR 1.95",
    ],
)  # fmt: skip
def test_one_call_is_asked_for_with_its_arguments_and_its_result(folder: Path, text: str):
    assert [summary.stem for summary in select(folder, LISTING, parse(text))] == (
        [] if text == "OR_not" else ["a", "b"]
    )


def test_the_fields_of_a_call_must_hold_of_the_same_one(tmp_path: Path):
    def call(number: int, name: str) -> dict[str, Any]:
        return {"function": {"name": name, "arguments": "{}"}, "id": f"c{number}"}

    messages = [
        {"role": "assistant", "content": "", "tool_calls": [call(1, "compute_spectrum"), call(2, "compare_windows")]},
        {"role": "tool", "tool_call_id": "c1", "content": "{}"},
        {"role": "tool", "tool_call_id": "c2", "content": '{"error": "no"}'},
    ]
    document = {**thread(), "messages": messages}
    (tmp_path / "a.json").write_text(json.dumps(document))

    def chosen(text: str) -> bool:
        return bool(list(select(tmp_path, [Summary("a")], parse(text))))

    assert chosen("tools:none call(compare_windows error)") and not chosen("call(compute_spectrum error)")
    assert chosen("call(compute_spectrum) call(error)")


@pytest.mark.parametrize(
    ("result", "is_error"),
    [
        ('{"artifact": "a", "error": "no"}', True),
        ('{ "error": "no"}', True),
        ('{"note": "no \\"error\\" here"}', False),
    ],
)
def test_a_call_failed_where_the_checks_say_so(tmp_path: Path, result: str, is_error: bool):
    document = thread()
    document["messages"][2]["content"] = result
    (tmp_path / "a.json").write_text(json.dumps(document))
    for text in ("has:errors", "call(error)"):
        assert bool(list(select(tmp_path, [Summary("a")], parse(text)))) is is_error


def test_a_file_is_read_only_where_no_summary_settles_it(tmp_path: Path):
    assert list(select(tmp_path / "absent", [ONE], parse("status:finished OR rhythm"))) == [ONE]
    assert not list(select(tmp_path / "absent", [ONE], parse("(status:active OR rhythm) turns:4")))


def test_a_text_split_over_content_parts_is_found(tmp_path: Path):
    document = thread()
    document["messages"][1]["content"] = [{"type": "text", "text": "a st"}, {"type": "text", "text": "rong one"}]
    (tmp_path / "a.json").write_text(json.dumps(document).replace("Gehört", "x"))
    assert [summary.stem for summary in select(tmp_path, [Summary("a")], parse("strong"))] == ["a"]


def test_files_are_not_read_when_the_summary_decides(tmp_path: Path):
    assert list(select(tmp_path / "absent", [ONE], parse("status:finished"))) == [ONE]
    assert not list(select(tmp_path / "absent", [ONE], parse("status:active rhythm")))


def test_a_summary_of_a_thread_and_its_filter_agree():
    assert parse("answer:walking tools:compute_spectrum status:finished").on_summary(summary_of(Thread(thread()), "a"))


def test_completions_offer_terms_then_their_words():
    assert completions("sta") == ["status:", "stale:"]
    assert completions("dataset:x -status:f") == ["status:finished"]
    assert completions("verdict:accept,r") == ["verdict:accept,reject"]
    assert "has:alternatives" in completions("has:a") and completions("turns:") == []
    assert completions("lint:dup") == ["lint:duplicate_id", "lint:duplicates"] and "lint:none" in completions("lint:")


def finished(stem: str, words: str) -> Thread:
    messages = [
        {"role": "user", "content": "User Query: which?"},
        {"role": "assistant", "content": f"{words}\n\nFinal Answer: sitting", "tool_calls": None},
    ]
    metadata = {"dataset": "d", "session": stem, "ground_truth": "sitting", "user_query": "which?", "version": "v4"}
    return recount(Thread({"id": stem, "metadata": metadata, "messages": messages}))


def test_what_left_and_what_the_checks_find_are_terms_of_a_workspace(tmp_path: Path):
    root = tmp_path / "space"
    root.mkdir()
    space = open_workspace(str(root), environ={})
    space.threads.mkdir()
    for number, words in enumerate(("It sat.", "The standard deviation is 3.14159.")):
        (space.threads / f"t{number}.json").write_text(json.dumps(finished(f"t{number}", words).document))

    def chosen(text: str) -> list[str]:
        return [summary.stem for summary in select(space.threads, summaries(space), parse(text, space))]

    assert chosen("lint:grounding") == ["t1"]
    assert chosen("exported:never") == ["t0", "t1"] and chosen("-exported:never") == []
    export(space, ExportRequest(filter="sat"))
    assert chosen("exported:exported") == ["t0"] and chosen("exported:never") == ["t1"]
    path = space.threads / "t0.json"
    path.write_text(path.read_text().replace("It sat.", "It sat still."))
    assert chosen("exported:changed") == ["t0"] and chosen("exported:any") == ["t0", "t1"]
    with pytest.raises(FilterError, match="did you mean `grounding`"):
        parse("lint:groundng", space)
    with pytest.raises(FilterError, match="only be asked of a workspace"):
        parse("exported:never")
