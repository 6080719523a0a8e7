from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.errors import SensorloomError, UsageError
from core.export import prove as proving
from core.export.prove import prove, python_of
from core.export.report import ExportRequest
from core.export.run import export

from .threads import document, workspace


def load_probe(name: str) -> Any:
    """A probe is a script for another environment, found by its file."""
    spec = importlib.util.spec_from_file_location(name, proving.PROBES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


spans = load_probe("spans")


def measured(text: str, trained: str, *pieces: Any) -> dict[str, Any]:
    """One token a character; `trained` has an x where a token is trained."""
    ids = [ord(letter) for letter in text]
    labels = [0 if mark == "x" else -100 for mark in trained.ljust(len(text))]
    return spans.measure_ids(lambda some: "".join(map(chr, some)), ids, labels, pieces, ["tool"])


def test_trained_tokens_are_counted_by_whose_words_they_carry():
    measures = measured(
        "<tool>ask|say|end",
        "          xxxx",
        ("user", "ask", False),
        ("assistant", "say", True),
        ("tool", "end", False),
    )
    assert measures["trained"] == {"assistant": 3, "markup": 1} and measures["lost"] == []
    leaky = measured("<tool>ask|say", "      xxxx", ("user", "ask", False), ("assistant", "say", True))
    assert leaky["trained"]["user"] == 3 and leaky["assistant_left_out"] == 3


def test_texts_that_no_token_carries_are_lost_and_escaped_ones_are_not():
    measures = measured('a \\"q\\" b', "", ("user", 'a "q" b', False), ("tool", "gone", False))
    assert measures["lost"] == ["tool: gone", "tool schema: tool"]


def test_rows_that_a_trainer_would_cut_are_counted():
    proof = proving.Proof("x", "hf", "trl", 2, 2, 2, 30, {"assistant": 9}, 0, 0, (), (10, 20), 15)
    assert proof.problems == ("rows longer than 15 tokens, which would be cut: 1",)


def test_a_character_of_several_tokens_is_decoded_whole():
    data = "aö".encode()
    text, starts, ends = spans.offsets(lambda ids: bytes(ids).decode("utf-8", "replace"), list(data))
    assert (text, starts, ends) == ("aö", [0, 1, 1], [1, 2, 2])


FAKE = """
import json, sys
print("chatter")
if {fail}: sys.exit("RuntimeError: it broke")
print(json.dumps({answer}))
"""
ANSWER = {
    "rows_in": 2, "rows_loaded": 2, "rows_measured": 2, "tokens": 9, "trained": {"assistant": 4, "markup": 1},
    "assistant_left_out": 0, "text_lost": [], "texts_lost": 0,
}  # fmt: skip


@pytest.fixture
def probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "probes"
    folder.mkdir()
    monkeypatch.setattr(proving, "PROBES", folder)
    return folder


def fake(probes: Path, *, fail: bool = False, **changes: Any) -> None:
    (probes / "trl_probe.py").write_text(FAKE.format(fail=fail, answer=repr({**ANSWER, **changes})))


def file_of(tmp_path: Path, profile: str = "hf") -> Path:
    path = export(workspace(tmp_path, document(1), document(2)), ExportRequest(profile)).path
    assert path is not None
    return path


def test_the_command_says_what_the_trainer_said(tmp_path: Path, probes: Path, capsys: pytest.CaptureFixture[str]):
    path = file_of(tmp_path)
    fake(probes)
    arguments = ["prove", path.name, "--trainer", "trl", "--python", sys.executable, "--workspace", str(tmp_path)]
    assert run_command([*arguments, "--json"]) == 0
    proof = json.loads(capsys.readouterr().out)
    assert (proof["holds"], proof["profile"], proof["rows_loaded"]) == (True, "hf", 2)
    fake(probes, rows_loaded=1, trained={"assistant": 3, "tool": 2}, texts_lost=1, text_lost=["tool: x"])
    assert run_command(arguments) == 1
    text = capsys.readouterr().out
    assert "1 of 2 rows were dropped" in text and "tokens of others are trained: tool 2" in text and "tool: x" in text


def test_a_trainer_that_fails_is_quoted_by_its_last_line(tmp_path: Path, probes: Path):
    fake(probes, fail=True)
    with pytest.raises(SensorloomError, match=r"trl could not load .*: RuntimeError: it broke"):
        prove(file_of(tmp_path), "trl", Path(sys.executable))


@pytest.mark.parametrize(
    ("profile", "trainer", "sentence"),
    [
        ("openai", "trl", "export with --profile hf or trl_dpo or trl_kto"),
        ("hf", "llamafactory", "export with --profile llamafactory"),
    ],
)
def test_a_form_that_a_trainer_does_not_take_is_refused(tmp_path: Path, profile: str, trainer: Any, sentence: str):
    with pytest.raises(UsageError, match=sentence):
        prove(file_of(tmp_path, profile), trainer, Path(sys.executable))


def test_axolotl_is_refused_for_pairs_because_it_drops_their_calls(tmp_path: Path):
    (tmp_path / "training_data_trl_dpo_20260101_000000.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match="drop tool calls"):
        prove(tmp_path / "training_data_trl_dpo_20260101_000000.jsonl", "axolotl", Path(sys.executable))


def test_a_missing_environment_says_how_to_get_one(tmp_path: Path):
    with pytest.raises(UsageError, match="`make trainers` builds one"):
        python_of("trl", None, tmp_path)


def test_what_stands_beside_an_export_is_not_proved_in_its_place(tmp_path: Path):
    beside = file_of(tmp_path).with_suffix(".manifest.json")
    beside.write_text("{}")
    with pytest.raises(UsageError, match="holds no rows: name the export"):
        prove(beside, "trl", Path(sys.executable))
