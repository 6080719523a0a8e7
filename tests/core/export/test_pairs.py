from __future__ import annotations

import copy
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.export.pairs import pairs
from core.export.profiles import PROFILES
from core.export.report import ExportReport, ExportRequest
from core.export.run import export
from core.thread.proposal import context_hash
from core.thread.value import Thread

from .threads import Document, call, document, result, rows, workspace

WRONG = {"role": "assistant", "content": "Lying.\n\nFinal Answer: laying", "tool_calls": None}


def alternative(thread: Document, position: int, message: Document, **changes: Any) -> Document:
    context = context_hash(thread["messages"][:position])
    return {"position": position, "context": context, "reason": "retried", "messages": [message], **changes}


def branch(thread: Document, number: int, position: int, *messages: Document, **metadata: Any) -> Document:
    """A branch of a thread that goes its own way from `position` on, with call ids of its own."""
    branched = copy.deepcopy(thread)
    branched["id"] = branched["id"].replace(branched["id"][-4:], f"{number:04d}")
    text = json.dumps(branched["messages"][:position]).replace(thread["id"], branched["id"])
    branched["messages"] = [*json.loads(text), *messages]
    branched["metadata"] |= {"parent_id": thread["id"], "branched_at": position, **metadata}
    return branched


def exported(tmp_path: Path, profile: str, *documents: Document) -> ExportReport:
    return export(workspace(tmp_path, *documents), ExportRequest(profile))


def test_an_alternative_becomes_a_pair_of_one_message_each(tmp_path: Path):
    thread = document()
    asked = {"role": "assistant", "content": "Hm.", "tool_calls": [call("x", "show_channel_stats")]}
    thread["alternatives"] = [alternative(thread, 1, asked, messages=[asked, result("x", "show_channel_stats", {})])]
    row = rows(exported(tmp_path, "trl_dpo", thread).path)[0]
    assert [message["role"] for message in row["prompt"]] == ["user"]
    assert len(row["chosen"]) == len(row["rejected"]) == 1
    assert row["rejected"][0]["tool_calls"][0]["function"] == {"name": "show_channel_stats", "arguments": {}}
    assert json.loads(row["tools"]) == thread["tools"]


def test_alternatives_that_no_longer_fit_make_no_pair():
    thread = document()
    thread["alternatives"] = [
        alternative(thread, 1, WRONG, context="0" * 16),
        alternative(thread, 4, WRONG, complete=False),
        alternative(thread, 2, WRONG),
        alternative(thread, 40, WRONG),
        alternative(thread, 4, thread["messages"][4]),
        {"position": "x"},
    ]
    missed: Counter[str] = Counter()
    assert pairs(Thread(thread), (), missed) == [] and missed.total() == 5
    thread["alternatives"] = [alternative(thread, 4, WRONG), alternative(thread, 4, WRONG)]
    thread["messages"][1]["train"] = False
    assert len(pairs(Thread(thread), (), Counter())) == 1


def test_a_branch_that_went_wrong_is_what_not_to_say(tmp_path: Path):
    thread = document()
    wrong = branch(thread, 2, 4, WRONG)
    report = exported(tmp_path, "openai_dpo", thread, wrong)
    (row,) = rows(report.path)
    assert report.skipped == {"neither right nor accepted": 1}
    assert row["preferred_output"][0]["content"].endswith("Final Answer: walking")
    assert row["non_preferred_output"] == [{"role": "assistant", "content": WRONG["content"]}]
    assert [message["role"] for message in row["input"]["messages"]] == ["user", "assistant", "tool", "tool"]
    assert row["input"]["parallel_tool_calls"] is True and row["input"]["tools"] == thread["tools"]


def test_an_accepted_branch_stands_over_a_rejected_one_whatever_their_answers(tmp_path: Path):
    thread = document(review={"verdict": "reject"})
    accepted = branch(thread, 2, 4, WRONG, review={"verdict": "accept"})
    (row,) = rows(exported(tmp_path, "trl_dpo", thread, accepted).path)
    assert row["chosen"][0]["content"].startswith("Lying.") and row["rejected"][0]["content"].startswith("A rhythm")


def test_branches_that_part_at_a_question_or_had_other_tools_make_no_pair():
    thread = Thread(document())
    asks = branch(document(), 2, 0, {"role": "user", "content": "Else?"}, WRONG)
    others = branch(document(), 3, 4, WRONG)
    others["tools"] = others["tools"][:1]
    missed: Counter[str] = Counter()
    assert pairs(thread, [Thread(asks), Thread(others)], missed) == []
    assert missed.total() == 2


def test_kto_has_a_row_for_each_side_and_no_row_twice(tmp_path: Path):
    thread = document()
    other = {"role": "assistant", "content": "Sitting.\n\nFinal Answer: sitting", "tool_calls": None}
    thread["alternatives"] = [alternative(thread, 4, WRONG), alternative(thread, 4, other)]
    written = rows(exported(tmp_path, "trl_kto", thread).path)
    assert Counter(row["label"] for row in written) == {True: 1, False: 2}


def test_llamafactory_pairs_rank_and_say_so_in_their_entry(tmp_path: Path):
    thread = document()
    thread["alternatives"] = [alternative(thread, 4, WRONG)]
    report = exported(tmp_path, "llamafactory_dpo", thread)
    (row,) = rows(report.path)
    assert [turn["from"] for turn in row["conversations"]] == ["human", "function_call", "observation"]
    assert (row["chosen"]["from"], row["rejected"]["from"]) == ("gpt", "gpt")
    entry = next(iter(json.loads((tmp_path / "exports/dataset_info.json").read_text()).values()))
    assert entry["ranking"] is True and entry["columns"]["chosen"] == "chosen"


def test_a_wrong_threads_alternatives_are_no_lesson(tmp_path: Path):
    thread = document()
    thread["messages"][4]["content"] = "Final Answer: sitting"
    thread["alternatives"] = [alternative(thread, 4, WRONG)]
    good = document(2)
    good["alternatives"] = [alternative(good, 4, WRONG)]
    report = exported(tmp_path, "trl_dpo", thread, good)
    assert (report.exported, report.skipped) == (1, {"neither right nor accepted": 1})


def ids_in(value: Any) -> list[str]:
    """The call ids that a row holds, anywhere, also in what it has as JSON text."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return ids_in(json.loads(value))
        except ValueError:
            return []
    if isinstance(value, list):
        return [call_id for item in value for call_id in ids_in(item)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("tool_call_id",) if key in value]
    own += [value["id"]] if "function" in value and "id" in value else []
    return own + [call_id for key, item in value.items() if key != "metadata" for call_id in ids_in(item)]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_call_ids_of_every_form_but_the_plain_copy_are_nine_letters_and_digits(tmp_path: Path, profile: str):
    """Mistral's templates take nothing else, OpenAI no more than 40 characters; and they name no session."""
    thread = document()
    thread["alternatives"] = [alternative(thread, 4, WRONG)]
    for message in thread["messages"]:
        if message["role"] == "assistant":
            message["label"] = "good"  # a judgement of a turn takes no pair away
    space = workspace(tmp_path, thread)
    report = export(space, ExportRequest(profile))
    called = [call_id for row in rows(report.path) for call_id in ids_in(row)]
    if profile == "openai_v1":
        assert all("train_16_3157" in call_id for call_id in called)
        report = export(space, ExportRequest(profile, call_ids="neutral"))
        called = [call_id for row in rows(report.path) for call_id in ids_in(row)]
    assert all(re.fullmatch("[A-Za-z0-9]{9}", call_id) for call_id in called)
    assert "call_uci_har" not in "".join(map(json.dumps, (row.get("messages") or row for row in rows(report.path))))
