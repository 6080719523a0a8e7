from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.curate import undo
from core.lint import CHECKS, Context, check_thread, fix_thread
from core.thread.json_form import decode
from core.thread.value import Thread

from ..export.threads import Document, call, document, put, result, workspace

Spoil = Callable[[Document], None]


def spoiled(change: Spoil) -> Thread:
    thread = document()
    change(thread)
    return Thread(thread)


def _unanswered(thread: Document) -> None:
    del thread["messages"][3]


def _orphan(thread: Document) -> None:
    thread["messages"].insert(4, result("call_nobody", "show_channel_stats", {"x": 1}))


def _duplicate(thread: Document) -> None:
    same = thread["messages"][1]["tool_calls"][0]["id"]
    thread["messages"][1]["tool_calls"][1]["id"] = thread["messages"][3]["tool_call_id"] = same


def _no_id(thread: Document) -> None:
    del thread["messages"][1]["tool_calls"][0]["id"]


def _undeclared(thread: Document) -> None:
    thread["messages"][1]["tool_calls"][1]["function"]["name"] = "compute_spektrum"


def _not_json(thread: Document) -> None:
    thread["messages"][1]["tool_calls"][0]["function"]["arguments"] = '{"dataset_name": '


def _schema(thread: Document) -> None:
    thread["messages"][1]["tool_calls"][1]["function"]["arguments"] = '{"channel_names": "body_acc_x"}'


def _ends_on_tool(thread: Document) -> None:
    del thread["messages"][4]
    thread["metadata"] |= {"status": "active", "num_turns": 1, "is_correct": None, "confidence": None}
    thread["metadata"]["final_answer"] = None


def _consecutive(thread: Document) -> None:
    thread["messages"].insert(4, {"role": "assistant", "content": "Hm.", "tool_calls": None})
    thread["metadata"] |= {"num_turns": 3, "num_responds": 1}


def _empty_answer(thread: Document) -> None:
    thread["messages"][4]["content"] = "It is clear.\nFinal Answer:  "


def _unknown_answer(thread: Document) -> None:
    thread["messages"][4]["content"] = "So.\n\nConfidence: high\nFinal Answer: flying"
    thread["metadata"] |= {"is_correct": False, "final_answer": "flying"}


def _counts(thread: Document) -> None:
    thread["metadata"]["num_tool_calls"] = 7


def _content(thread: Document) -> None:
    thread["messages"][2]["content"] = {"channels": []}


def _stale(thread: Document) -> None:
    thread["messages"][4]["stale"] = True


def _control_token(thread: Document) -> None:
    thread["messages"][3]["content"] = '<tool_call>{"name": "look", "arguments": {}}</tool_call>'


def _secret(thread: Document) -> None:
    thread["messages"][3]["content"] = json.dumps({"env": "OPENAI_API_KEY=sk-proj-abcDEF0123456789abcDEF01"})


def _leak(thread: Document) -> None:
    thread["messages"][2]["content"] = json.dumps({"session": "x", "ground_truth": "Walking"})


def _failed(thread: Document) -> None:
    for index in (2, 3):
        thread["messages"][index]["content"] = json.dumps({"error": "the samples cannot be read"})
    thread["messages"][4]["content"] = "So.\n\nConfidence: high\nFinal Answer: walking"


def _hinted(thread: Document) -> None:
    thread["metadata"]["made_by"] = {"hint": "unchecked"}


def _ungrounded(thread: Document) -> None:
    thread["messages"][4]["content"] = "A rhythm of 2.41 Hz.\n\nConfidence: high\nFinal Answer: walking"


@pytest.mark.parametrize(
    ("check", "message", "sentence", "change"),
    [
        ("unanswered", 1, "of compute_spectrum is not answered before message 4", _unanswered),
        ("orphan", 4, "answers call_nobody, which the turn before it did not ask", _orphan),
        ("duplicate_id", 1, "stands already in message 2", _duplicate),
        ("duplicate_id", 1, "has no id", _no_id),
        ("undeclared_tool", 1, "did you mean compute_spectrum?", _undeclared),
        ("arguments_json", 1, "the arguments of show_channel_stats: not JSON", _not_json),
        ("arguments_schema", 1, "arguments.channel_names: 'body_acc_x' is not of type 'array'", _schema),
        ("ends_on_tool", 3, "ends on a tool's result", _ends_on_tool),
        ("consecutive", 5, "messages 5 and 6 are both the assistant's", _consecutive),
        ("empty_answer", 4, "names no label", _empty_answer),
        ("unknown_answer", 4, "'flying' is none of the labels: walking, sitting", _unknown_answer),
        ("counts", None, "num_tool_calls is 7, by the messages 2", _counts),
        ("content_type", 2, "the content is an object", _content),
        ("stale", 4, "rests on something that changed", _stale),
        ("control_tokens", 3, "the text holds <tool_call>", _control_token),
        ("secrets", 3, "looks like an API key: sk-pro…", _secret),
        ("leak", 2, "the result says `ground_truth`: Walking", _leak),
        ("grounding", 4, "it quotes 2.41 Hz", _ungrounded),
        ("failed_calls", None, "2 of 2 calls failed", _failed),
        ("hint", None, "whether that shows was not checked yet", _hinted),
    ],
)
def test_each_kind_of_broken_thread_is_found_with_the_right_message(
    check: str, message: int | None, sentence: str, change: Spoil
):
    findings = [finding for finding in check_thread(spoiled(change)) if finding.check == check]
    assert findings and findings[0].message == message and sentence in findings[0].sentence
    assert findings[0].fix and findings[0].fixable is (check in ("counts", "content_type"))


def test_a_file_whose_name_is_not_its_id_is_found():
    findings = check_thread(Thread(document()), Context("another"))
    assert [finding.check for finding in findings] == ["id"]


@pytest.mark.parametrize(
    "change",
    [
        lambda thread: None,
        lambda thread: thread.pop("tools"),
        lambda thread: thread["messages"][4].update(content="About 2 Hz, 41 % of 0.413 g: 2.0.\nFinal Answer: walking"),
        lambda thread: thread["metadata"].pop("final_answer"),
        lambda thread: thread["metadata"].update(mine=1),
    ],
)  # fmt: skip
def test_a_good_thread_is_not_flagged(change: Callable[[Document], Any]):
    thread = document()
    change(thread)
    thread["metadata"]["confidence"] = "high" if "Confidence" in thread["messages"][4]["content"] else None
    assert [str(finding) for finding in check_thread(Thread(thread), Context(thread["id"]))] == []


LEAKS = {
    "a key": {"role": "tool", "content": '{"stats": {"label": "walking"}}'},
    "a key of a synonym": {"role": "tool", "content": '{"true_label": "WALK"}'},
    "a statement": {"role": "tool", "content": '{"note": "Recorded while walking at the park."}'},
    "a path": {"role": "tool", "content": '{"file": "/data/walking/0042.csv"}'},
    "an id": {"role": "tool", "content": '{"artifact_id": "ts_walking_17"}'},
    "plain text": {"role": "tool", "content": "ground truth: walking"},
    "a question that tells": {"role": "user", "content": "The person is walking. What do the sensors show?"},
    "a question about a walking session": {"role": "user", "content": "What do you see in this walking session?"},
    "a hint": {"role": "user", "content": "Hint: walking\nWhat is it?"},
    "a channel that is the label": {
        "role": "user",
        "content": 'Dataset Information:\n{"channels": ["acc_x", {"name": "activity_id"}]}\n\nUser Query: What?',
    },
    "a comparison on such a channel": {
        "role": "tool",
        "content": '{"distances": {"walking": 0.1, "sitting": 9}, "telling_features": '
        '[{"feature": "state:mean", "this": 1, "walking": [1, 0.0], "sitting": [2, 0.0]}]}',
    },
    "a manifest": {
        "role": "user",
        "content": 'Dataset Information:\n{"session_label": "walking"}\n\nUser Query: What?',
    },
}
NO_LEAKS = {
    "a label among others": {"role": "tool", "content": '{"labels": ["walking", "sitting"]}'},
    "neighbours": {"role": "tool", "content": '{"examples": [{"label": "walking", "distance": 0.9}]}'},
    "votes": {"role": "tool", "content": '{"votes": {"walking": 9}}'},
    "distances": {"role": "tool", "content": '{"distances": {"walking": 2.86}, "closest_label": "walking"}'},
    "features that vary": {
        "role": "tool",
        "content": '{"distances": {"walking": 0.1, "sitting": 9}, "telling_features": '
        '[{"feature": "acc_x:mean", "this": 1, "walking": [1, 0.1], "sitting": [2, 0.0]}, '
        '{"feature": "acc_x:skew", "this": 1, "walking": [1, 0.0], "sitting": [2, 0.0]}]}',
    },
    "a choice": {"role": "user", "content": "Is the person walking or sitting?"},
    "a yes-or-no question": {"role": "user", "content": "Is the person walking?"},
    "another label": {"role": "tool", "content": '{"ground_truth": "sitting"}'},
    "a longer label": {"role": "tool", "content": '{"file": "/data/walking_upstairs/1.csv"}'},
}


SECRETS = (
    "sk-proj-abcDEF0123456789abcDEF01", "pk-live-" + "x" * 22, "AKIA1234567890ABCDEF", "gho_" + "a" * 36,
    "github_pat_" + "b" * 32, "hf_" + "c" * 34, "xoxb-12345678901", "AIza" + "d" * 35,
    "-----BEGIN RSA PRIVATE KEY-----", "eyJabcdefghijk.eyJabcdefghijk.abcdefghijkl",
    "Authorization: Bearer abcdefghijklmnop", "API-KEY = abcdef1", "apikey: abcdefg", "Secret_Key=abcdefg",
    "SecretKey='abcdefg", "access-token: abcdefgh", "AccessToken=abcdefgh", "passwd=abcdefgh", "ftp://u:pass1@h",
)  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_every_form_of_a_secret_is_found(secret: str):
    thread = document()
    thread["messages"][3]["content"] = json.dumps({"env": secret})
    assert "secrets" in [finding.check for finding in check_thread(Thread(thread))]


def with_message(message: Document) -> Thread:
    thread = document()
    if message["role"] == "tool":
        thread["messages"][3]["content"] = message["content"]
        thread["messages"][4]["content"] = "So.\n\nConfidence: high\nFinal Answer: walking"
    else:
        thread["messages"][0]["content"] = message["content"]
    labels = ("walking", "walking_upstairs", "sitting", "standing", "laying")
    return Thread({**thread, "labels": labels})


@pytest.mark.parametrize("message", LEAKS.values(), ids=LEAKS)
def test_what_gives_the_truth_away_is_found(message: Document):
    context = Context("", ("walking", "walking_upstairs", "sitting", "standing", "laying"))
    assert [finding.check for finding in check_thread(with_message(message), context)] == ["leak"]


@pytest.mark.parametrize("message", NO_LEAKS.values(), ids=NO_LEAKS)
def test_naming_the_label_is_no_leak_by_itself(message: Document):
    context = Context("", ("walking", "walking_upstairs", "sitting", "standing", "laying"))
    assert [finding.sentence for finding in check_thread(with_message(message), context)] == []


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("1.95 Hz", []), ("2 Hz", []), ("1.8 Hz", ["1.8 Hz"]), ("1.96 Hz", ["1.96 Hz"]), ("0.41 g", []), ("-0.413", []),
        ("41.3 %", []), ("42 percent", ["42 percent"]), ("about 2.0 Hz", []), ("50.0 Hz", []), ("3 axes, 2 checks", []),
        ("3 Hz", ["3 Hz"]), ("1. look\n2. think", []), ("channel_7 and ts_1a2b", []), ("roughly 0.4", []),
        ("1,950 Hz", ["1,950 Hz"]), ("train_16_3157", []), ("~1.9 Hz", []), ("between 1.95 and 7.5 s", ["7.5 s"]),
    ],
)  # fmt: skip
def test_numbers_are_held_within_the_rounding_they_are_quoted_with(text: str, quoted: list[str]):
    thread = document()
    thread["messages"][4]["content"] = f"{text}.\n\nConfidence: high\nFinal Answer: walking"
    findings = check_thread(Thread(thread))
    quotes = [finding.sentence.removeprefix("it quotes ").partition(",")[0] for finding in findings]
    assert (quotes if "," not in text else [text for _ in quotes]) == quoted


def test_fixing_counts_and_contents_is_idempotent_and_changes_nothing_else():
    thread = document()
    _counts(thread)
    _content(thread)
    thread["messages"][1]["tool_calls"][0]["function"]["arguments"] = {"dataset_name": "uci_har"}
    fixed = fix_thread(Thread(thread))
    assert fix_thread(fixed) == fixed
    assert fixed.metadata["num_tool_calls"] == 2 and fixed.messages[2]["content"] == '{"channels": []}'
    assert {finding.check for finding in check_thread(fixed)} <= {"grounding"}
    good = Thread(document())
    assert fix_thread(good) is good


def test_every_check_says_what_it_looks_for_under_a_name_of_its_own():
    assert len({check.name for check in CHECKS}) == len(CHECKS) >= 16
    assert all(check.about for check in CHECKS)


def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    code = run_command(["check", "--json", "--workspace", str(tmp_path), *options])
    return code, json.loads(capsys.readouterr().out)


def test_the_command_finds_fixes_and_the_fix_can_be_undone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    bad = document(2)
    _counts(bad)
    space = workspace(tmp_path, document(1, session="a", truth="sitting"), bad)
    path = space.threads / f"{bad['id']}.json"
    before = path.read_bytes()
    assert run(tmp_path, capsys)[0] == 1 and path.read_bytes() == before
    code, printed = run(tmp_path, capsys, "--fix")
    assert (code, printed["fixed"], printed["with_findings"]) == (0, 1, 0)
    assert decode(path.read_bytes(), "x").metadata["num_tool_calls"] == 2
    assert run(tmp_path, capsys, "--fix")[1]["fixed"] == 0
    undo(space, bad["id"])
    assert path.read_bytes() == before


def test_duplicates_and_unreadable_files_are_found_in_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    thread: Document = document(1)
    same: Document = {**thread, "id": "uci_har_copy_v4_0002", "metadata": {**thread["metadata"], "session": "copy"}}
    near: Document = json.loads(json.dumps(document(3)).replace("What is this? 3", "What is this? 1"))
    near["messages"][4]["content"] = near["messages"][4]["content"].replace("A rhythm", "One rhythm")
    long = " ".join(f"Word{number} follows word{number * 7} here." for number in range(40))
    for each in (thread, same, near):
        each["messages"] = json.loads(json.dumps(each["messages"]))
        each["messages"][1]["content"] = long
    space = workspace(tmp_path, thread, same, near, document(4, session="other"))
    (space.threads / "broken.json").write_text("{")
    code, printed = run(tmp_path, capsys)
    assert code == 1 and printed["counts"] == {"duplicates": 2, "file": 1}
    sentences = {row["stem"]: row["findings"][0]["sentence"] for row in printed["threads"]}
    assert "exactly what" in sentences[near["id"]] or "wording and tools" in sentences[near["id"]]
    assert run(tmp_path, capsys, "--only", "duplicates")[1]["counts"] == {"duplicates": 2}
    assert run(tmp_path, capsys, thread["id"])[0] == 0


def test_an_unknown_thread_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    workspace(tmp_path)
    assert run_command(["check", "nope", "--workspace", str(tmp_path)]) != 0
    assert "there is no thread nope" in capsys.readouterr().err


def test_a_call_chain_of_several_turns_is_whole(tmp_path: Path):
    thread = document()
    thread["messages"][4:4] = [
        {"role": "assistant", "content": "More.", "tool_calls": [call("c9", "show_channel_stats")]},
        result("c9", "show_channel_stats", {"x": 1}),
    ]
    thread["metadata"] |= {"num_turns": 3, "num_tool_calls": 3}
    put(tmp_path, thread)
    assert check_thread(Thread(thread)) == []


TOKENS = (
    "<|im_end|>", "<|im_start|>user", "<|channel|>final", "<|eot_id|>", "[INST] hi [/INST]", "[TOOL_CALLS]",
    "<end_of_turn>", "</tool_response>", "<function=look>", "<｜tool▁calls▁begin｜>", "</s>",
)  # fmt: skip


@pytest.mark.parametrize("token", TOKENS)
def test_every_templates_tokens_are_found_and_what_only_looks_alike_is_not(token: str):
    thread = document()
    thread["messages"][4]["content"] = f"It walks {token}\n\nFinal Answer: walking"
    assert "control_tokens" in [finding.check for finding in check_thread(Thread(thread))]
    thread["messages"][4]["content"] = "a <b> c || d <|> [INSTANCE] 1 < 2\n\nFinal Answer: walking"
    assert "control_tokens" not in [finding.check for finding in check_thread(Thread(thread))]
