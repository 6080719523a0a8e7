from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from core.analyst.citations import cite
from core.analyst.conversation import Finding, Number, read_request
from core.analyst.impressions import first_impression, revision
from core.analyst.phrases import phrase
from core.listing.variety import Tally, Variety, facts_of
from core.thread.opening import described
from core.thread.value import Thread
from tests.core.analyst.analyst_threads import PLAIN, manifest_of, run_thread
from tests.tools.made import made_dataset

MADE = made_dataset(5, 3)
MANIFEST = manifest_of(MADE)
EACH = 3
"""Threads of each session."""


def made_threads() -> list[Thread]:
    sessions = [*MADE.windows] * EACH
    runs = [run_thread(MADE, MANIFEST, session, PLAIN, seed) for seed, session in enumerate(sessions)]
    return [Thread({"id": f"t{number}", "metadata": {}, "messages": messages}) for number, messages in enumerate(runs)]


@pytest.fixture(scope="module")
def varied() -> Variety:
    tally = Tally()
    for each in made_threads():
        tally.add(facts_of(each))
    return tally.variety()


def test_every_last_message_cites_a_measurement_of_the_session(varied: Variety):
    assert varied.answered == EACH * len(MADE.windows) and varied.cited == 1


def test_sentences_are_composed(varied: Variety):
    """Whole sentences to choose from gave 67 skeletons in 2,747 sentences; the goal is five times that."""
    assert varied.sentences > 1000 and varied.skeletons > 5 * 67


def test_some_threads_have_a_slip_and_each_is_mended(varied: Variety):
    assert varied.errors == varied.mended and varied.mended_share and 0.05 <= varied.mended_share <= 0.15


def test_teachers_differ_in_order_and_depth(varied: Variety):
    """Before there were manners, 200 threads had 5.1 bits."""
    assert varied.path_bits and varied.path_bits > 5.1


def test_a_first_impression_that_was_wrong_is_taken_back_and_only_then():
    still = {"columns": ["std"], "unit": "g", "channels": {"acc_x": [0.01]}}
    compared = {"distances": {"walking": 1.5, "sitting": 9.5}, "reference": {"sessions": 90}}
    request = read_request(
        {"messages": [{"role": "user", "content": described({"activities": ["walking", "sitting"]})}]}
    )
    looked = Finding("show_channel_stats", {}, json.loads(json.dumps(still), parse_float=Number), 0)
    seen = replace(request, findings=(looked,), turns=1)
    sentences = {first_impression(seen, random.Random(seed)) for seed in range(20)}
    assert all("sitting" in sentence and "rest" in sentence for sentence in sentences) and len(sentences) > 5
    ranked = Finding("compare_to_reference", {}, json.loads(json.dumps(compared), parse_float=Number), 1)
    later = replace(seen, findings=(looked, ranked), turns=2)
    assert not first_impression(later, random.Random(0))
    assert "walking" in revision(later, "walking", random.Random(0)) and not revision(
        later, "sitting", random.Random(0)
    )


def test_a_template_draws_from_the_inside_out_and_takes_what_fills_it_as_it_is():
    drawn = {phrase("a [b|c[d|e]]|{x}", random.Random(seed), x="[no|{choice}]") for seed in range(200)}
    assert drawn == {"a b", "a cd", "a ce", "[no|{choice}]"}


@pytest.mark.parametrize(
    ("tool", "result", "cited"),
    [
        ("compute_spectrum", '{"sensors": {"acc": {"dominant": [1.81]}}}', "1.81 Hz"),
        (
            "compute_spectrum",
            '{"sensors": {"acc": {"cannot_tell": "too short", "rms": 0.25}}}',
            "sensors acc rms of 0.25",
        ),
        ("count_peaks", '{"samples": 250, "counted": {"peaks": 17}}', "counted peaks of 17"),
        ("nearest_examples", '{"votes": {"walking": 5}}', ""),
        ("compute_spectrum", '{"error": "no window 3"}', ""),
        ("estimate_orientation", '{"sensors": []}', ""),
    ],
)
def test_a_citation_is_a_number_of_this_session_whatever_the_results_shape(tool: str, result: str, cited: str):
    read: dict[str, Any] = json.loads(result, parse_float=Number, parse_int=Number)
    text = cite(Finding(tool, {}, read, 0), random.Random(0))
    assert cited in text and bool(text) is bool(cited)
