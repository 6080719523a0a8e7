"""The trainers' own loading code on our exports; each is skipped where `make trainers` has not built it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.export.profiles.profile import Trainer
from core.export.prove import PROBES, Proof, prove
from core.export.report import ExportReport, ExportRequest
from core.export.run import export
from core.thread.proposal import context_hash

from ..core.export.threads import Document, call, document, result, workspace

TREE = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)


def python_with(trainer: Trainer) -> Path:
    path = TREE / ".trainers" / trainer / "bin/python"
    if not (TREE / ".trainers" / trainer / ".done").exists():
        pytest.skip(f"{trainer} is not installed; `make trainers` builds it")
    return path


def varied(count: int = 6) -> list[Document]:
    """Threads as different as real ones: calls of several tools, answers without a call, non-ASCII, late keys."""
    documents: list[Document] = []
    for number in range(1, count + 1):
        thread = document(number, session=f"train_{number}_{number}")
        if number % 2:
            thread["metadata"] |= {"tags": ["späte"], "review": {"verdict": "accept", "note": None}}
        if number == 3:
            more = [call("c9", "show_channel_stats", artifact_id="ts_ab"), call("c10", "show_channel_stats")]
            thread["messages"][4:4] = [
                {"role": "assistant", "content": "", "tool_calls": more},
                result("c9", "show_channel_stats", {"error": 'no "ts_ab"'}),
                result("c10", "show_channel_stats", {"channels": []}),
            ]
        documents.append(thread)
    return documents


def exported(root: Path, profile: str, documents: list[Document], **options: Any) -> ExportReport:
    return export(workspace(root, *documents), ExportRequest(profile, **options))


def proof(root: Path, profile: str, trainer: Trainer, documents: list[Document], **options: Any) -> Proof:
    python = python_with(trainer)
    path = exported(root, profile, documents, **options).path
    assert path is not None
    return prove(path, trainer, python)


def with_alternatives(documents: list[Document]) -> list[Document]:
    for thread in documents:
        messages = thread["messages"]
        asked = {"role": "assistant", "content": "Hm.", "tool_calls": [call("x", "show_channel_stats")]}
        wrong = {"role": "assistant", "content": "Lying, surely.\n\nFinal Answer: laying", "tool_calls": None}
        last = len(messages) - 1
        thread["alternatives"] = [
            {"position": 1, "context": context_hash(messages[:1]), "reason": "retried", "messages": [asked]},
            {"position": last, "context": context_hash(messages[:last]), "reason": "retried", "messages": [wrong]},
        ]
    return documents


@pytest.mark.parametrize(
    ("profile", "trainer", "count"),
    [
        ("hf", "trl", 6),
        ("hf", "axolotl", 6),
        ("hf", "unsloth", 6),
        ("openai_v1", "axolotl", 6),
        ("llamafactory", "llamafactory", 6),
        ("ms_swift", "ms_swift", 6),
        ("verl", "verl", 6),
        ("openrlhf", "openrlhf", 13),  # a row for each turn
        ("oumi", "oumi", 6),
        ("torchtune", "torchtune", 6),
    ],
)
def test_every_row_loads_nothing_is_lost_and_only_the_assistant_is_trained(
    tmp_path: Path, profile: str, trainer: Trainer, count: int
):
    proved = proof(tmp_path, profile, trainer, varied())
    assert proved.problems == ()
    assert (proved.rows_in, proved.rows_loaded, proved.texts_lost) == (count, count, 0)
    assert set(proved.trained) <= {"assistant", "markup"} and proved.trained["assistant"] > 500


@pytest.mark.parametrize(
    ("profile", "trainer"),
    [
        ("hf", "trl"),
        ("hf", "axolotl"),
        ("hf", "unsloth"),
        ("ms_swift", "ms_swift"),
        ("verl", "verl"),
        ("openrlhf", "openrlhf"),
        ("torchtune", "torchtune"),
    ],
)
def test_turns_out_of_the_loss_are_context_and_nothing_more(tmp_path: Path, profile: str, trainer: Trainer):
    documents = varied(4)
    whole = sum(len(thread["messages"][1]["content"].encode()) for thread in documents)
    documents[1]["messages"][1]["train"] = False
    proved = proof(tmp_path, profile, trainer, documents)
    assert proved.problems == () and "context" not in proved.trained and whole
    full = proof(tmp_path, profile, trainer, varied(4))
    assert proved.trained["assistant"] < full.trained["assistant"]


@pytest.mark.parametrize(
    ("profile", "trainer", "sides"),
    [("trl_dpo", "trl", 2), ("trl_kto", "trl", 1), ("llamafactory_dpo", "llamafactory", 2)],
)
def test_preference_pairs_train_one_message_on_each_side(tmp_path: Path, profile: str, trainer: Trainer, sides: int):
    proved = proof(tmp_path, profile, trainer, with_alternatives(varied(3)))
    assert proved.problems == ()
    assert proved.rows_loaded == proved.rows_in and proved.rows_measured == sides * proved.rows_in
    assert set(proved.trained) <= {"assistant", "markup"}


def test_rows_beyond_the_first_ten_megabytes_may_have_keys_the_first_had_not(tmp_path: Path):
    python = python_with("trl")
    documents = varied(60)
    for number, thread in enumerate(documents):
        thread["messages"][2]["content"] = json.dumps({"padding": "x" * 220_000, "late": number})
        if number == 59:
            thread["metadata"]["only_here"] = {"deep": [1]}
            thread["messages"][1]["train"] = False
            thread["messages"][1]["tool_calls"][0]["function"]["arguments"] = '{"artifact_id": "never_before"}'
    path = exported(tmp_path, "hf", documents).path
    assert path is not None and path.stat().st_size > 10_500_000
    script = "import datasets, sys; print(len(datasets.load_dataset('json', data_files=sys.argv[1])['train']))"
    command = [str(python), "-c", script, str(path)]
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.stdout.strip() == "60", ended.stderr[-2000:]


def test_a_row_the_trainer_skips_without_a_word_is_reported(tmp_path: Path):
    python = python_with("llamafactory")
    path = exported(tmp_path, "llamafactory", varied(3)).path
    assert path is not None
    lines = path.read_text().splitlines()
    odd = json.loads(lines[1])
    odd["conversations"].insert(1, odd["conversations"][1])
    path.write_text("\n".join([lines[0], json.dumps(odd), lines[2]]) + "\n")
    proved = prove(path, "llamafactory", python)
    assert proved.rows_loaded == 2 and "1 of 3 rows were dropped" in proved.problems


MAKE = "import sys; sys.path.insert(0, sys.argv[1]); import tiny; tiny.build(sys.argv[2])"
"""A model's folder, by the Python of a trainer."""


def test_rows_beyond_a_cut_off_are_counted_by_the_models_own_tokenizer(tmp_path: Path):
    python = python_with("trl")
    path = exported(tmp_path, "hf", varied()).path
    subprocess.run([str(python), "-c", MAKE, str(PROBES), str(tmp_path / "tiny")], check=True)
    assert path is not None
    proved = prove(path, "trl", python, model=str(tmp_path / "tiny"), cutoff=1500)
    assert proved.too_long == 1 and max(proved.lengths) > 1500
    assert proved.problems == ("rows longer than 1,500 tokens, which would be cut: 1",)


@pytest.mark.parametrize("template", ["qwen3", "qwen3_6"])
def test_torchtune_learns_turns_that_a_template_shows_otherwise_while_they_are_the_last(tmp_path: Path, template: str):
    python = python_with("torchtune")
    shipped = next(TREE.glob(f".trainers/templates/lib/*/site-packages/trl/chat_templates/{template}.jinja"), None)
    if shipped is None:
        pytest.skip("the templates are not installed; `make trainers` builds them")
    path = exported(tmp_path, "torchtune", varied(3)).path
    subprocess.run([str(python), "-c", MAKE, str(PROBES), str(tmp_path / "tiny")], check=True)
    (tmp_path / "tiny/chat_template.jinja").write_bytes(shipped.read_bytes())
    assert path is not None
    proved = prove(path, "torchtune", python, model=str(tmp_path / "tiny"))
    assert proved.problems == () and set(proved.trained) == {"assistant", "markup"}


def test_the_script_beside_the_export_trains_a_model(tmp_path: Path):
    python = python_with("trl")
    proved = exported(tmp_path, "hf", varied(4))
    script = next(path for path in proved.beside if path.name.endswith(".trl.py"))
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "CUDA_VISIBLE_DEVICES": ""}

    def run(*arguments: str) -> None:
        ended = subprocess.run([str(python), *arguments], capture_output=True, text=True, check=False, env=environment)
        assert ended.returncode == 0, ended.stderr[-2000:]

    run("-c", MAKE, str(PROBES), str(tmp_path / "tiny"))
    run(str(script), str(tmp_path / "tiny"), str(tmp_path / "trained"))
    assert (tmp_path / "trained/model.safetensors").exists()
