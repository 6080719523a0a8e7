from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from core.export.preview import candidates, losses, preview, rendered
from core.export.profiles.hf import messages
from core.export.profiles.profile import Making
from core.export.report import ExportRequest
from core.export.run import export
from core.listing.index import summaries
from core.thread.value import Thread

from .threads import Document, document, workspace

TEMPLATE = Path(__file__).parents[3] / "core/export/snippets/chatml.jinja"


def seen(tmp_path: Path, thread: Document, **options: Any):
    space = workspace(tmp_path, thread)
    return preview(space, summaries(space)[0], ExportRequest(**options))


def test_a_preview_shows_the_row_and_which_stretches_are_trained(tmp_path: Path):
    shown = seen(tmp_path, document(), profile="hf")
    assert shown.rows[0]["messages"][0]["role"] == "user" and shown.refusal == ""
    trained = "".join(piece.text for piece in shown.rendered if piece.trained)
    others = "".join(piece.text for piece in shown.rendered if not piece.trained)
    assert "Two checks at once — größer?" in trained and "Final Answer: walking<|im_end|>" in trained
    assert '"arguments": {"channel_names": ["body_acc_x"]}' in trained and "dominant_hz" not in trained
    assert "dominant_hz" in others and "compute_spectrum" in others and "What is this?" in others
    assert shown.changes["turns with text beside a call, which templates of Llama-3 and gpt-oss drop"] == 1


def test_a_turn_out_of_the_loss_is_not_trained(tmp_path: Path):
    thread = document()
    thread["messages"][1]["train"] = False
    trained = "".join(piece.text for piece in seen(tmp_path, thread, profile="hf").rendered if piece.trained)
    assert "Two checks" not in trained and "Final Answer" in trained


def test_a_preview_says_why_a_thread_would_not_leave(tmp_path: Path):
    thread = document()
    thread["messages"][1]["train"] = False
    assert "out of the loss" in seen(tmp_path, thread, profile="llamafactory").refusal
    del thread["messages"][3]
    assert "is not answered" in seen(tmp_path, thread, profile="openai_v1").refusal


def test_a_plain_preview_is_the_thread_without_its_alternatives(tmp_path: Path):
    thread = {**document(), "alternatives": [{"position": 1}]}
    assert seen(tmp_path, thread).rows == (document(),)


def test_the_preview_renders_what_the_template_renders():
    thread = document()
    thread["messages"][1]["reasoning_content"] = "hm <b>"
    plain = TEMPLATE.read_text().replace("{%- generation %}", "").replace("{%- endgeneration %}", "")
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    environment.filters["tojson"] = lambda value: __import__("json").dumps(value, ensure_ascii=False)
    chat = messages(thread["messages"], Making())
    expected = environment.from_string(plain).render(messages=chat, tools=thread["tools"], add_generation_prompt=False)
    assert "".join(piece.text for piece in rendered(Thread(thread))) == expected


def test_what_would_leave_and_what_a_profile_would_lose_is_known_before(tmp_path: Path):
    every = [document(number) for number in range(4)]
    every[0]["metadata"]["review"] = {"verdict": "reject"}
    every[1]["messages"].pop()
    every[2]["messages"][1]["train"] = False
    space = workspace(tmp_path, *every)
    request = ExportRequest(profile="llamafactory")
    leaving = candidates(space, request, summaries(space))
    assert [summary.stem for summary in leaving.chosen] == [every[2]["id"], every[3]["id"]] and leaving.certain
    assert leaving.skipped == {"not finished": 1, "rejected": 1}
    lost = losses(space, leaving.chosen, request)
    assert lost.looked_at == 2
    assert [stems for sentence, stems in lost.refused.items() if "out of the loss" in sentence] == [(every[2]["id"],)]
    report = export(space, request)
    assert report.exported == 1 and report.skipped["not finished"] == 1
    assert not candidates(space, ExportRequest(filter="dominant"), summaries(space)).certain
    left = candidates(space, ExportRequest(profile="llamafactory", new_only=True), summaries(space))
    assert [summary.stem for summary in left.chosen] == [every[2]["id"]]
