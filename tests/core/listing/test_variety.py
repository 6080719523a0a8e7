from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.listing.skeletons import sentences_of, skeleton
from core.listing.variety import Tally, Variety, facts_of, shortfalls, variety
from core.settings import VarietySettings
from core.thread.opening import first_message
from core.thread.value import Thread

MANIFEST = {
    "dataset_name": "demo",
    "activities": ["walking", "walking_upstairs", "sitting"],
    "channels": [{"name": f"body_acc_{axis}", "unit": "g"} for axis in "xyz"],
}
STATS = {"columns": ["mean", "std"], "channels": {"body_acc_x": [0.98, 0.213]}}
COMPARED = {"distances": {"walking": 1.25, "sitting": 7.5}, "telling_features": [{"feature": "gyro std", "this": 3.5}]}


def thread(final: str, *calls: tuple[str, Any], before: str = "I look.", truth: str = "walking") -> Thread:
    """A thread that says `before` with each call, and `final` at its end."""
    messages: list[dict[str, Any]] = [first_message(MANIFEST, "What is it?")]
    for number, (tool, result) in enumerate(calls):
        function = {"name": tool, "arguments": "{}"}
        asked = {"id": f"call_{number}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": before, "tool_calls": [asked]})
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": json.dumps(result)})
    if final:
        messages.append({"role": "assistant", "content": final})
    return Thread({"id": "t", "metadata": {"dataset_name": "demo", "ground_truth": truth}, "messages": messages})


def total(threads: Sequence[Thread]) -> Variety:
    tally = Tally()
    for each in threads:
        tally.add(facts_of(each))
    return tally.variety()


@pytest.mark.parametrize(
    ("sentence", "alike"),
    [
        ("The spread is 0.21 g.", "The spread is −1,234.5 g."),
        ("It is closest to walking (1.25).", "It is closest to walking upstairs (7)."),
        ("3 are walking, 1 is sitting and 2 are walking.", "3 are walking, 1 is sitting and 5 are sitting."),
        ("Look at body_acc_x and body_acc_y.", "look at body_acc_x, body_acc_y and body_acc_z."),
    ],
)
def test_numbers_labels_channels_and_lists_of_them_make_no_other_sentence(sentence: str, alike: str):
    names = {"walking": "<label>", "walking upstairs": "<label>", "sitting": "<label>"}
    names |= {f"body_acc_{axis}": "<channel>" for axis in "xyz"}
    assert skeleton(sentence, names) == skeleton(alike, names)
    assert skeleton("The spread is large.", names) != skeleton("The spread is small.", names)


def test_the_closing_lines_are_no_sentences_and_decimals_end_none():
    text = "It is 0.5 g. So it moves!\n\nConfidence: high\nFinal Answer: walking"
    assert sentences_of(text) == ["It is 0.5 g.", "So it moves!"]


def test_the_names_of_a_thread_are_those_of_its_dataset_and_of_its_results():
    final = "Gyro std is 3.5 in walking upstairs by show channel stats."
    skeletons = facts_of(thread(final, ("show_channel_stats", STATS), ("compare_to_reference", COMPARED))).skeletons
    assert skeletons[-1] == "<feature> is # in <label> by <tool>."


def test_an_answer_that_is_the_first_line_of_a_comparison_is_told():
    end = "\n\nConfidence: high\nFinal Answer: "
    looked_up = thread(f"Yes.{end}Walking", ("compare_to_reference", COMPARED))
    weighed = thread(f"No.{end}sitting", ("compare_to_reference", COMPARED))
    measured = thread(f"Yes.{end}walking", ("show_channel_stats", STATS))
    counted = total([looked_up, looked_up, weighed, measured, thread("")])
    assert (counted.compared, counted.first_line) == (3, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("final", "cites"),
    [
        ("The spread of 0.21 g says so.", True),
        ("The spread of 0.5 g says so.", False),
        ("It came first at 1.25.", False),
        ("It is walking.", False),
    ],
)
def test_a_final_message_cites_what_was_measured_not_what_was_compared(final: str, cites: bool):
    calls = ("show_channel_stats", STATS), ("compare_to_reference", COMPARED)
    assert facts_of(thread(f"{final}\n\nFinal Answer: walking", *calls)).cites is cites


def test_an_error_is_mended_when_the_tool_answers_later():
    failed = {"error": "no such position"}
    mended = thread("Done.\n\nFinal Answer: walking", ("compute_spectrum", failed), ("compute_spectrum", STATS))
    left = thread("Done.\n\nFinal Answer: walking", ("compute_spectrum", failed), ("show_channel_stats", STATS))
    counted = total([mended, left])
    assert (counted.errors, counted.mended, counted.mended_share) == (2, 1, 0.5)


def test_paths_that_are_all_alike_have_no_bits_and_four_of_one_size_two():
    path = [(name, STATS) for name in ("a", "b")]
    assert total([thread("", *path)] * 3).path_bits == 0
    some = [path, path[::-1], path[:1], [*path, *path]]
    assert total([thread("", *each) for each in some]).path_bits == pytest.approx(2)


def test_nothing_is_a_share_of_nothing():
    assert total([]) == Variety()
    assert shortfalls(total([]), VarietySettings(least_cited=1, most_first_line=0)) == ()


def test_what_misses_a_threshold_is_one_sentence_with_both_figures():
    counted = Variety(threads=4, skeletons_per_1000=20.0, path_bits=1.0, first_line=0.99, cited=0.5, mended_share=0.2)
    wanted = VarietySettings(least_skeletons=50, most_first_line=0.8, least_cited=0.5, most_mended=0.15)
    assert shortfalls(counted, wanted) == (
        "20.0 sentence skeletons per 1,000 sentences; least_skeletons is 50.0",
        "99 % of the answers are the first line of a comparison; most_first_line is 80 %",
        "20 % of the threads mend an error; most_mended is 15 %",
    )


def _stored(folder: Path, *threads: Thread) -> None:
    (folder / "threads").mkdir(exist_ok=True)
    for number, each in enumerate(threads):
        (folder / "threads" / f"t{number}.json").write_text(json.dumps(dict(each.document) | {"id": f"t{number}"}))


def test_stats_tells_of_the_threads_that_a_filter_selects_and_of_none_when_quick(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    end = "\n\nConfidence: high\nFinal Answer: walking"
    _stored(
        tmp_path,
        thread(f"0.21 g it is.{end}", ("show_channel_stats", STATS), ("compare_to_reference", COMPARED)),
        thread(f"It is.{end}", ("compare_to_reference", COMPARED), truth="sitting"),
    )
    assert run_command(["stats", "--workspace", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "final message cites a measurement    50 % of 2" in told and "100 % of 2 that compare" in told
    assert run_command(["stats", "--workspace", str(tmp_path), "--json", "--filter", "truth:walking"]) == 0
    told = json.loads(capsys.readouterr().out)["variety"]
    assert (told["threads"], told["cited"], told["sentences"]) == (1, 1.0, 3)
    assert run_command(["stats", "--workspace", str(tmp_path), "--quick"]) == 0
    assert "variety" not in capsys.readouterr().out


def test_an_export_warns_where_its_threads_miss_what_a_person_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    end = "\n\nConfidence: high\nFinal Answer: walking"
    _stored(tmp_path, thread(f"It is.{end}", ("compare_to_reference", COMPARED)))
    assert run_command(["export", "--workspace", str(tmp_path), "--dry-run"]) == 0
    assert "variety" not in capsys.readouterr().out
    (tmp_path / "sensorloom.toml").write_text("[export.variety]\nleast_cited = 0.9\nmost_first_line = 1\n")
    assert run_command(["export", "--workspace", str(tmp_path), "--dry-run"]) == 0
    sentence = "0 % of the final messages cite a measurement; least_cited is 90 %"
    assert f"warning   {sentence}" in capsys.readouterr().out
    assert run_command(["export", "--workspace", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == [sentence]
    manifest = json.loads(next((tmp_path / "exports").glob("*.manifest.json")).read_text())
    assert manifest["warnings"] == [sentence]


def test_files_that_went_count_nowhere_and_a_reading_can_be_stopped(tmp_path: Path):
    _stored(tmp_path, thread("It is.\n\nFinal Answer: walking"))
    told: list[tuple[int, int]] = []
    counted = variety(tmp_path / "threads", ["t0", "gone"], lambda done, of: told.append((done, of)))
    assert counted is not None and counted.threads == 1 and told == [(2, 2)]
    assert variety(tmp_path / "threads", ["t0"], cancelled=lambda: True) is None
    known = {"t0": facts_of(thread("It is.\n\nFinal Answer: walking"))}
    assert variety(tmp_path / "elsewhere", ["t0"], known=known) == counted, "what is known is not read again"
