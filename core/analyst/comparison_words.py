"""Saying in words what comparisons with other people's sessions show."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from core.analyst.measurement_words import feature_words
from core.analyst.phrases import label_words, listed, number, phrase


def reference(result: Mapping[str, Any], draw: random.Random) -> str:
    """What a comparison with the labels' statistics shows."""
    ranked = list(result["distances"].items())
    best, least = ranked[0]
    second = f"{label_words(ranked[1][0])} ({number(ranked[1][1])})" if len(ranked) > 1 else ""
    text = phrase(
        "[Against other people's sessions the window is closest to|Beside other people's sessions it lies nearest "
        "to|Of all labels the closest by other people's statistics is] {best} ([distance |at |]{least})"
        + "[, then {second}|, before {second}|; {second} comes next]" * bool(second)
        + ".",
        draw, best=label_words(best), least=number(least), second=second,
    )  # fmt: skip
    telling = result.get("telling_features") or []
    return f"{text} {_feature(telling[draw.randrange(min(2, len(telling)))], draw)}" if telling else text


def compared_before(result: Mapping[str, Any], draw: random.Random) -> str:
    """The same of an earlier message, said again and shorter."""
    (best, least), *rest = result["distances"].items()
    before = f", ahead of {label_words(rest[0][0])} at {number(rest[0][1])}" if rest else ""
    return phrase(
        "[By the statistics of other people|By distance|As the comparison has it,] {best} fits best, at "
        "{least}{before}.|"
        "In the comparison {best} came first [with|at] {least}{before}.|"
        "[The comparison named|Closest in the comparison was] {best}, at {least}{before}.",
        draw, best=label_words(best), least=number(least), before=before,
    )  # fmt: skip


def _feature(feature: Mapping[str, Any], draw: random.Random) -> str:
    """What tells two labels apart, in their own numbers."""
    labels = [name for name in feature if isinstance(feature[name], list)]
    unit = f" {feature['unit']}" if feature.get("unit") else ""
    told = " and ".join(f"{label_words(label)} has {_typical(*feature[label])}" for label in labels)
    return phrase(
        "[What tells them apart is|They part in|The difference shows in|Between them decides] {feature}: "
        "{this}{unit} here, where {told}.",
        draw, feature=feature_words(str(feature["feature"])), this=number(feature["this"]), unit=unit, told=told,
    )  # fmt: skip


def _typical(mean: Any, spread: Any) -> str:
    """A label's mean with its spread; a single session has none."""
    return number(mean) if spread is None else f"{number(mean)} ± {number(spread)}"


def neighbours(result: Mapping[str, Any], draw: random.Random) -> str:
    """What the nearest labelled windows show."""
    votes = result["votes"]
    most = [f"{number(count)} {_are(count)} {label_words(label)}" for label, count in list(votes.items())[:3]]
    distance = result["examples"][0]["distance"]
    return phrase(
        "[Of the most similar windows of other people|Among the nearest windows of others], {most}; the nearest one "
        "is {distance} away.|"
        "The [nearest|most similar] window of other people is {distance} away, and of those I looked at {most}.",
        draw, most=listed(most), distance=number(distance),
    )  # fmt: skip


def _are(count: float) -> str:
    return "is" if count == 1 else "are"
