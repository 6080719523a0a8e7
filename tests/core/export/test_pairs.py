from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

from core.export.pairs import pairs
from core.export.report import ExportReport, ExportRequest
from core.export.run import export
from core.thread.proposal import context_hash
from core.thread.value import Thread

from .threads import Document, call, document, result, rows, workspace

WRONG = {"role": "assistant", "content": "Lying.\n\nFinal Answer: laying", "tool_calls": None}


def alternative(one: Document, position: int, message: Document, **changes: Any) -> Document:
    context = context_hash(one["messages"][:position])
    return {"position": position, "context": context, "reason": "retried", "messages": [message], **changes}


def branch(one: Document, number: int, position: int, *messages: Document, **metadata: Any) -> Document:
    """A branch of a thread that goes its own way from `position` on, with call ids of its own."""
    made = copy.deepcopy(one)
    made["id"] = made["id"].replace(made["id"][-4:], f"{number:04d}")
    text = json.dumps(made["messages"][:position]).replace(one["id"], made["id"])
    made["messages"] = [*json.loads(text), *messages]
    made["metadata"] |= {"parent_id": one["id"], "branched_at": position, **metadata}
    return made


def exported(tmp_path: Path, profile: str, *documents: Document) -> ExportReport:
    return export(workspace(tmp_path, *documents), ExportRequest(profile))


def test_an_alternative_becomes_a_pair_of_one_message_each(tmp_path: Path):
    one = document()
    asked = {"role": "assistant", "content": "Hm.", "tool_calls": [call("x", "show_channel_stats")]}
    one["alternatives"] = [alternative(one, 1, asked, messages=[asked, result("x", "show_channel_stats", {})])]
    row = rows(exported(tmp_path, "trl_dpo", one).path)[0]
    assert [message["role"] for message in row["prompt"]] == ["user"]
    assert len(row["chosen"]) == len(row["rejected"]) == 1
    assert row["rejected"][0]["tool_calls"][0]["function"] == {"name": "show_channel_stats", "arguments": {}}
    assert json.loads(row["tools"]) == one["tools"]


def test_alternatives_that_no_longer_fit_make_no_pair():
    one = document()
    one["alternatives"] = [
        alternative(one, 1, WRONG, context="0" * 16),
        alternative(one, 4, WRONG, complete=False),
        alternative(one, 2, WRONG),
        alternative(one, 40, WRONG),
        alternative(one, 4, one["messages"][4]),
        {"position": "x"},
    ]
    missed: Counter[str] = Counter()
    assert pairs(Thread(one), (), missed) == [] and missed.total() == 5
    one["alternatives"] = [alternative(one, 4, WRONG), alternative(one, 4, WRONG)]
    one["messages"][1]["train"] = False
    assert len(pairs(Thread(one), (), Counter())) == 1


def test_a_branch_that_went_wrong_is_what_not_to_say(tmp_path: Path):
    one = document()
    wrong = branch(one, 2, 4, WRONG)
    found = exported(tmp_path, "openai_dpo", one, wrong)
    (row,) = rows(found.path)
    assert found.skipped == {"neither right nor accepted": 1}
    assert row["preferred_output"][0]["content"].endswith("Final Answer: walking")
    assert row["non_preferred_output"] == [{"role": "assistant", "content": WRONG["content"]}]
    assert [message["role"] for message in row["input"]["messages"]] == ["user", "assistant", "tool", "tool"]
    assert row["input"]["parallel_tool_calls"] is True and row["input"]["tools"] == one["tools"]


def test_an_accepted_branch_stands_over_a_rejected_one_whatever_their_answers(tmp_path: Path):
    one = document(review={"verdict": "reject"})
    accepted = branch(one, 2, 4, WRONG, review={"verdict": "accept"})
    (row,) = rows(exported(tmp_path, "trl_dpo", one, accepted).path)
    assert row["chosen"][0]["content"].startswith("Lying.") and row["rejected"][0]["content"].startswith("A rhythm")


def test_branches_that_part_at_a_question_or_had_other_tools_make_no_pair():
    one = Thread(document())
    asks = branch(document(), 2, 0, {"role": "user", "content": "Else?"}, WRONG)
    others = branch(document(), 3, 4, WRONG)
    others["tools"] = others["tools"][:1]
    missed: Counter[str] = Counter()
    assert pairs(one, [Thread(asks), Thread(others)], missed) == []
    assert missed.total() == 2


def test_kto_has_a_row_for_each_side_and_no_row_twice(tmp_path: Path):
    one = document()
    other = {"role": "assistant", "content": "Sitting.\n\nFinal Answer: sitting", "tool_calls": None}
    one["alternatives"] = [alternative(one, 4, WRONG), alternative(one, 4, other)]
    made = rows(exported(tmp_path, "trl_kto", one).path)
    assert Counter(row["label"] for row in made) == {True: 1, False: 2}


def test_llamafactory_pairs_rank_and_say_so_in_their_entry(tmp_path: Path):
    one = document()
    one["alternatives"] = [alternative(one, 4, WRONG)]
    found = exported(tmp_path, "llamafactory_dpo", one)
    (row,) = rows(found.path)
    assert [turn["from"] for turn in row["conversations"]] == ["human", "function_call", "observation"]
    assert (row["chosen"]["from"], row["rejected"]["from"]) == ("gpt", "gpt")
    entry = next(iter(json.loads((tmp_path / "exports/dataset_info.json").read_text()).values()))
    assert entry["ranking"] is True and entry["columns"]["chosen"] == "chosen"


def test_a_wrong_threads_alternatives_are_no_lesson(tmp_path: Path):
    one = document()
    one["messages"][4]["content"] = "Final Answer: sitting"
    one["alternatives"] = [alternative(one, 4, WRONG)]
    good = document(2)
    good["alternatives"] = [alternative(good, 4, WRONG)]
    found = exported(tmp_path, "trl_dpo", one, good)
    assert (found.exported, found.skipped) == (1, {"neither right nor accepted": 1})
