"""The figures of an evaluation agree with hand computation and with what they were made from."""

from __future__ import annotations

import random

import pytest

from core.evaluation.scores import (
    Outcome,
    calibration_error,
    confusion,
    difference,
    macro_f1,
    macro_f1_interval,
    pass_all,
    pass_at,
    reliability,
    share_right,
)

LABELS = ("walking", "sitting")


def outcomes(rights: list[bool], *, attempt: int = 0, confidence: str = "high") -> list[Outcome]:
    return [
        Outcome(f"s{at}", attempt, LABELS[at % 2], LABELS[(at + (not right)) % 2], right, True, confidence)
        for at, right in enumerate(rights)
    ]


def drawn(accuracy: float, count: int, seed: int) -> list[bool]:
    chance = random.Random(seed)
    return [chance.random() < accuracy for _ in range(count)]


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(15, 18, 0.608, 0.942), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1)]
)
def test_intervals_of_shares_are_wilsons(right: int, of: int, low: float, high: float) -> None:
    share = share_right(outcomes([True] * right + [False] * (of - right)))
    assert share.interval == pytest.approx((low, high), abs=1e-3)


def test_two_models_of_known_accuracy_are_told_apart_and_lie_within_their_intervals() -> None:
    better, worse = outcomes(drawn(0.8, 200, 1)), outcomes(drawn(0.6, 200, 2))
    for told, accuracy in ((better, 0.8), (worse, 0.6)):
        low, high = share_right(told).interval
        assert low < accuracy < high
    apart = difference(better, worse)
    assert apart.p < 0.01 and apart.interval[0] > 0 and apart.interval[0] < 0.2 < apart.interval[1]
    alike = difference(better, outcomes(drawn(0.8, 200, 3)))
    assert alike.p > 0.05 and alike.interval[0] < 0 < alike.interval[1]


def test_a_pair_is_compared_on_the_tries_that_both_made() -> None:
    first, second = outcomes([True, True, False, False]), outcomes([True, False, True])
    apart = difference(first, second)
    assert (apart.only_first, apart.only_second, apart.value, apart.p) == (1, 1, 0.0, 1.0)
    assert difference(first, []).p == 1.0


def test_macro_f1_and_confusion_count_what_is_not_finished() -> None:
    told = [*outcomes([True, True, False, True]), Outcome("s4", 0, "walking", "", False, False)]
    # walking: 1 of 3 right, answered once; sitting: 2 of 2 right, answered 3 times
    assert macro_f1(told) == pytest.approx((2 * 1 / (1 + 3) + 2 * 2 / (3 + 2)) / 2)
    assert confusion(told)["walking", "(no answer)"] == 1 and share_right(told).of == 5
    low, high = macro_f1_interval(told)
    assert 0 <= low <= macro_f1(told) <= high <= 1


def test_several_tries_at_a_session() -> None:
    told = [*outcomes([True, False, False]), *outcomes([True, True, False], attempt=1)]
    assert pass_at(told, 1) == pytest.approx((1 + 0.5 + 0) / 3)
    assert pass_at(told, 2) == pytest.approx(2 / 3) and pass_all(told, 2) == pytest.approx(1 / 3)
    assert pass_at(told, 3) is None


def test_stated_confidence_is_set_beside_what_was_right() -> None:
    told = [*outcomes([True, True, True, False]), *outcomes([False, True], attempt=1, confidence="")]
    assert {level: (share.right, share.of) for level, share in reliability(told).items()} == {
        "high": (3, 4),
        "none": (1, 2),
    }


def test_the_calibration_error_is_how_far_words_are_from_what_they_promise() -> None:
    told = [*outcomes([True, True, True, False]), *outcomes([False, True], attempt=1, confidence="low")]
    assert calibration_error(told) == pytest.approx((4 * abs(0.75 - 0.9) + 2 * abs(0.5 - 0.5)) / 6)
    assert calibration_error(outcomes([True], confidence="")) is None
