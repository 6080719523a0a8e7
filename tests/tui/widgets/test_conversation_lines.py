from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from core.thread.proposal import Generation, Proposal
from core.thread.value import Thread
from tui.keys import Keys
from tui.screens.rebinding import rebound
from tui.widgets.conversation_lines import Block, lay_out
from tui.widgets.conversation_parts import Look, parts_of
from tui.widgets.drafts import Draft
from tui.widgets.lines import plain_text

STATS = json.dumps({"channels": {f"acc_{axis}": {"mean": 0.25, "std": 1.5} for axis in "xyz"}, "rate_hz": 50})


def call(
    number: int, name: str = "show_channel_stats", arguments: str = '{"artifact_id": "session"}'
) -> dict[str, Any]:
    return {"id": f"c{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def thread(
    *, answer: str = "walking", result: str = STATS, text: str = "I look at the channels.", **keys: Any
) -> Thread:
    manifest = {"dataset_name": "demo", "activities": ["walking", "sitting"], "channels": [{"name": "acc_x"}] * 3}
    messages = [
        {"role": "user", "content": f"Dataset Information:\n{json.dumps(manifest)}\n\nUser Query: What is it?"},
        {"role": "assistant", "content": text, "tool_calls": [call(1)], **keys},
        {"role": "tool", "tool_call_id": "c1", "name": "show_channel_stats", "content": result},
        {"role": "assistant", "content": f"Steps.\n\nConfidence: high\nFinal Answer: {answer}", "tool_calls": None},
    ]
    return Thread({"id": "t", "metadata": {"ground_truth": "walking"}, "messages": messages})


def blocks(shown: Thread, look: Look | None = None, width: int = 90) -> list[Block]:
    return lay_out(parts_of(shown, look or Look()), width, {})


def drawn(shown: Thread, look: Look | None = None, width: int = 90) -> str:
    return "\n".join(plain_text(line) for block in blocks(shown, look, width) for line in block.unfocused)


def test_a_thread_shows_question_turns_calls_results_and_verdict():
    text = drawn(thread(), Look(seconds={"c1": 0.0123}))
    assert "▸ dataset demo, 3 channels, 2 activities" in text
    assert "What is it?" in text and "dataset_name" not in text
    assert "TURN 1" in text and "TURN 2" in text
    assert '▸ show_channel_stats {"artifact_id": "session"}' in text and "✓ 12 ms" in text
    assert "◂ {" in text and "✓ correct" in text


def test_a_wrong_answer_shows_the_truth_unless_the_reader_is_blind():
    wrong = thread(answer="sitting")
    assert "✗ wrong" in drawn(wrong) and "the truth is walking" in drawn(wrong)
    hidden = drawn(wrong, Look(blind=True))
    assert "the truth is walking" not in hidden and "✗" not in hidden and "the truth is hidden" in hidden


def test_long_results_fold_and_unfold():
    long = thread(result=json.dumps({"values": [{"i": i} for i in range(5000)]}))
    folded = blocks(long)[2]
    assert folded.folds and len(folded.lines) < 10
    assert "→ unfolds" in drawn(long, Look(keys=Keys(rebound({}))))
    assert len(blocks(long, Look(opened=frozenset({2})))[2].lines) > 1000


def test_a_message_of_a_megabyte_costs_a_page_until_it_is_unfolded():
    assert len(blocks(thread(text="word " * 200_000))[1].lines) < 120


@pytest.mark.parametrize(
    ("keys", "mark"),
    [({"stale": True}, "⚠ stale"), ({"train": False}, "⊘ out of the loss"), ({"edited": True}, "✎ edited")],
)
def test_what_is_out_of_the_ordinary_stands_beside_the_label(keys: dict[str, Any], mark: str):
    assert mark in drawn(thread(**keys))
    assert mark not in drawn(thread())


def test_forks_alternatives_and_replays_are_marked():
    base = thread()
    shown = Thread(
        {**base.document, "alternatives": [{"position": 3, "messages": []}, {"position": 3, "messages": []}]}
    )
    text = drawn(shown, Look(forks={3: (2, 3)}, replays={"c1": "differs"}))
    assert "└ branch 2/3" in text and "2 alternatives" in text and "≠ replays differently" in text


def test_a_failed_call_is_marked_and_an_unanswered_one_too():
    assert "✗ error" in drawn(thread(result='{"error": "no such channel"}'))
    base = thread()
    cut = Thread({**base.document, "messages": base.messages[:2]})
    assert "… no answer" in drawn(cut)
    asked = Thread({**base.document, "messages": base.messages[:1]})
    proposal = Proposal(1, tuple(base.messages[1:2]), Generation("m"))
    for running, mark in ((True, "… running"), (False, "… no answer")):
        assert mark in drawn(asked, Look(drafts=(Draft(proposal, running=running),)))


def test_a_proposal_is_drawn_apart():
    base = thread()
    shown = Thread({**base.document, "messages": base.messages[:3]})
    proposal = Proposal(3, ({"role": "assistant", "content": "maybe", "tool_calls": None},), Generation("m"))
    stopped = replace(proposal, complete=False)
    look = Look(drafts=(Draft(proposal, note="34 tokens"), Draft(stopped)))
    assert "TURN 2   proposal 1/2  34 tokens" in drawn(shown, look)
    assert "┊ " in drawn(shown, look)
    assert "incomplete: it was" in drawn(shown, replace(look, chosen=1))
    assert "incomplete: it was" not in drawn(shown, look)


def test_reasoning_is_folded_to_a_line():
    base = thread(reasoning_content="first this\nthen that\nthen more")
    assert "▸ thinking" in drawn(base) and len([line for line in drawn(base).splitlines() if "then" in line]) == 1
    assert "▾ thinking" in drawn(base, Look(opened=frozenset({1})))


def test_results_of_parallel_calls_say_whose_they_are():
    base = thread()
    messages = [dict(message) for message in base.messages]
    messages[1]["tool_calls"] = [call(1), call(2, "compute_spectrum")]
    messages.insert(3, {"role": "tool", "tool_call_id": "c2", "name": "compute_spectrum", "content": "{}"})
    text = drawn(Thread({**base.document, "messages": messages}))
    assert "◂ compute_spectrum" in text and "◂ show_channel_stats" in text


def test_only_what_changed_is_laid_out_again():
    base = thread()
    first = blocks(base)
    before = {block.part.index: block for block in first}
    again = lay_out(parts_of(base, Look(opened=frozenset({2}))), 90, before)
    assert [a is b for a, b in zip(first, again, strict=True)] == [True, True, False, True]


@pytest.mark.parametrize("width", [16, 30, 64, 120])
def test_nothing_is_wider_than_the_pane(width: int):
    wide = thread(text="日本語のテキスト " * 40, result=json.dumps({"k" * 80: "v" * 200}))
    for look in (Look(), Look(opened=frozenset(range(9)), forks={1: (1, 2), 3: (2, 2)})):
        for block in blocks(wide, look, width):
            assert all(cell_len(plain_text(line)) <= width + 2 for line in block.unfocused)


def test_hostile_text_is_drawn_as_text_wherever_it_comes_from(hostile: str):
    document = {
        "id": hostile,
        "metadata": {"ground_truth": hostile, "user_query": hostile},
        "messages": [
            {
                "role": "user",
                "content": f'Dataset Information:\n{{"dataset_name": {json.dumps(hostile)}}}\n\nUser Query: {hostile}',
            },
            {
                "role": "assistant",
                "content": hostile,
                "reasoning_content": hostile,
                "tool_calls": [call(1, hostile, hostile)],
            },
            {"role": "tool", "tool_call_id": "c1", "name": hostile, "content": json.dumps({hostile: hostile})},
            {"role": "tool", "tool_call_id": "none", "name": hostile, "content": hostile},
            {"role": hostile, "content": hostile},
            {"role": "assistant", "content": f"{hostile}\nFinal Answer: {hostile}", "tool_calls": None},
        ],
    }
    note = Draft(Proposal(6, ({"role": "assistant", "content": hostile},), Generation(hostile)), note="n")
    for look in (Look(), Look(opened=frozenset(range(9)), drafts=(note,))):
        for width in (20, 90):
            for block in blocks(Thread(document), look, width):
                assert all(plain_text(line).isprintable() for line in block.unfocused)


def test_several_proposals_are_listed_with_their_keys_and_where_they_part():
    base = thread()
    shown = Thread({**base.document, "messages": base.messages[:3]})

    def draft(text: str) -> Draft:
        return Draft(Proposal(3, ({"role": "assistant", "content": text, "tool_calls": None},), Generation("m")))

    start = "I look at the spectrum of the signal "
    look = Look(drafts=(draft(start + "first"), draft(start + "and its rhythm"), draft(start + "first")), chosen=1)
    text = drawn(shown, look)
    assert " 1 … first" in text
    assert "▸2 … and its rhythm" in text
    assert " 3 the same as 1" in text
    assert "1-3 take" in text
