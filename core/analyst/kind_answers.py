"""Answers to questions of other kinds than that for the activity, each resting on numbers that results hold."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from core.analyst.citations import grounds
from core.analyst.conversation import Conversation, Finding, Number
from core.analyst.eliminating import eliminated, is_measuring, reasoned, rests_on
from core.analyst.evidence import MOVING_STD, is_moving, unit_of, votes_for, weigh
from core.analyst.kinds_asked import WIDE, changes_seen, stretch_findings, topic_of
from core.analyst.looks import SESSION
from core.analyst.phrases import label_words, listed, phrase
from core.analyst.splitting import best_split
from core.analyst.words import explain
from core.thread.scoring import CANNOT_BE_TOLD

SAME = 1.25
"""Spreads that differ by less than this factor are the same, as the question has it."""
EVEN = 0.5
"""Regularity of peaks below which they are hardly steps, as `count_steps` says."""
CLIPPED = 0.1
"""Share of clipped samples that is a fault; coarse steps of a sensor at rest give some as well."""
SURE = 0.8
"""Share of similar sessions' votes from which one can be sure: nine in ten are asked for, of twenty that vote."""


class Answer(NamedTuple):
    """What a question's evidence comes to."""

    why: str
    """In one or two sentences, with numbers."""
    answer: str
    confidence: str


def conclude_kind(kind: str, conversation: Conversation, draw: random.Random) -> str:
    """The final message to a question of a kind, with its two closing lines."""
    try:
        reply = _ANSWERS[kind](conversation, draw)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration):
        reply = None  # a result can have any shape: people edit them, and bring tools of their own
    if reply is None:
        why = "What I measured does not decide that" if conversation.findings else "I have no result to go by"
        reply = Answer(f"{why}.", CANNOT_BE_TOLD, "low")
    last = [finding for finding in conversation.findings if finding.turn == conversation.turns - 1]
    told = [text for finding in last if finding.tool in EXPLAINED and (text := explain(finding, draw))]
    body = " ".join(part for part in (*told[:2], reply.why) if part)
    return f"{body}\n\nConfidence: {reply.confidence}\nFinal Answer: {reply.answer}"


EXPLAINED = ("show_channel_stats", "detect_periodicity", "segment_session")


def _resting(conversation: Conversation, draw: random.Random) -> Answer | None:
    stats = conversation.of("show_channel_stats")
    moving = is_moving(replace(conversation, findings=stats or conversation.findings))
    if moving is None:
        return None
    measured = max(_spreads(stats[-1].result), key=lambda row: row.of_limit) if stats else None
    cited = f"{measured.name} varies by {measured.std} {measured.unit}" if measured else ""
    rhythm = is_moving(replace(conversation, findings=conversation.of("detect_periodicity")))
    plain = measured is None or not 0.5 < measured.of_limit < 2
    why = phrase(
        "[{cited}, [far more|more] than a body at rest shows|{cited}: somebody is on the move]."
        if moving else "[{cited} at most, which is [rest|what a body at rest shows]|No more than that moves: {cited}].",
        draw, cited=cited or grounds(conversation.findings, draw).rstrip("."),
    )  # fmt: skip
    sure = plain and rhythm in (None, moving)
    return Answer(why, "moving" if moving else "resting", "high" if sure else "medium")


class _Spread(NamedTuple):
    name: str
    std: Number
    unit: str
    of_limit: float
    """As a multiple of what tells movement from rest in this unit."""


def _spreads(result: Mapping[str, Any]) -> Iterator[_Spread]:
    rows = result.get("channels") or result["sensors"]
    at = result["columns"].index("std")
    for name, row in rows.items():
        unit = unit_of(result, name)
        if isinstance(row[at], Number) and unit in MOVING_STD:
            yield _Spread(name, row[at], unit, row[at] / MOVING_STD[unit])


def _steps(conversation: Conversation, draw: random.Random) -> Answer | None:
    counts = conversation.of("count_steps")
    if not counts:
        return None
    sensors = counts[-1].result["sensors"]
    name = max(sensors, key=lambda sensor: sensors[sensor].get("regularity") or 0.0)
    count = sensors[name]
    peaks, regularity = count["peaks"], count.get("regularity") or 0.0
    if is_moving(replace(conversation, findings=conversation.of("show_channel_stats"))) is False:
        most = max(_spreads(conversation.of("show_channel_stats")[-1].result), key=lambda row: row.of_limit)
        why = phrase(
            "[{name} varies by no more than {std} {unit}|A spread of {std} {unit} in {name} is rest], so [the {peaks} "
            "peaks are no steps|{peaks} small peaks of {sensor} are not steps]: [nobody walks here|there is no step].",
            draw, name=most.name, std=most.std, unit=most.unit, peaks=peaks, sensor=name,
        )  # fmt: skip
        return Answer(why, "0", "high")
    why = phrase(
        "[I count|There are|The count gives] {peaks} peaks of {name} up and down in {sec} s[, {pace} a minute|]"
        "[, with a regularity of {regularity}|; their regularity is {regularity}].",
        draw, peaks=peaks, name=name, sec=count["counted_sec"], pace=count.get("per_minute"), regularity=regularity,
    )  # fmt: skip
    expected = [value * count["counted_sec"] / 60 for value in _cadences(conversation)]
    agrees = not expected or min(abs(value - peaks) for value in expected) <= max(1.0, 0.15 * peaks)
    confidence = "high" if regularity >= 0.8 and agrees else "medium" if regularity >= EVEN else "low"
    return Answer(why, f"{int(peaks)}", confidence)


def _cadences(conversation: Conversation) -> list[float]:
    return [
        sensor["cadence"]
        for finding in conversation.of("detect_periodicity")
        for sensor in finding.result["sensors"].values()
        if isinstance(sensor.get("cadence"), float)
    ]


def _change(conversation: Conversation, draw: random.Random) -> Answer | None:
    changes = changes_seen(conversation)
    if len(changes) == 1:
        why = phrase(
            "[There is one shift|One change shows|The session shifts once], at {at} s[, and nothing else changes|].",
            draw, at=changes[0],
        )  # fmt: skip
        return Answer(why, str(changes[0]), "high")
    shown = conversation.of("show_samples")
    if not shown:
        return Answer("The candidates cannot be told apart.", str(changes[0]), "low") if changes else None
    times, rows = shown[-1].result["time_sec"], shown[-1].result["channels"]
    split = best_split([list(map(float, row)) for row in rows.values()])
    middle = (times[split - 1] + times[split]) / 2
    name = max(rows, key=lambda row: abs(_mean(rows[row][:split]) - _mean(rows[row][split:])))
    answer = str(min(changes, key=lambda at: abs(at - middle))) if changes else f"{middle:.2f}"
    why = phrase(
        "[The samples part best between {before} s and {after} s|Between {before} s and {after} s the samples shift "
        "most]: {name} [is|goes from] {left} [there and|to] {right} after it.",
        draw, before=times[split - 1], after=times[split], name=name, left=rows[name][split - 1],
        right=rows[name][split],
    )  # fmt: skip
    return Answer(why, answer, "medium")


def _mean(row: list[float]) -> float:
    return sum(row) / len(row)


def _compare(conversation: Conversation, draw: random.Random) -> Answer | None:
    stretches = stretch_findings(conversation)
    if len(stretches) < 2:
        return None
    (_, first), (_, second) = stretches
    named = [sensor.name for sensor in conversation.sensors if sensor.name in conversation.question]
    sensor = max(named, key=len, default="")
    rows = [_rows_of(finding, sensor) for finding in (first, second)]
    shared = [name for name in rows[0] if name in rows[1]]
    before, after = (sum(stretch[name] ** 2 for name in shared) ** 0.5 for stretch in rows)
    factor = max(before, after) / max(min(before, after), 1e-12)
    answer = "same" if factor < SAME else "first" if before > after else "second"
    most = max(shared, key=lambda name: max(stretch[name] for stretch in rows))
    outcome = phrase(
        "[the two hardly differ|that is about the same|neither moves more]" if answer == "same"
        else "[the {answer} moves more|more happens in the {answer}|the {answer} is the livelier one]",
        draw, answer=answer,
    )  # fmt: skip
    cited = listed([f"{name} by {rows[0][name]} and {rows[1][name]}" for name in dict.fromkeys((most, *shared[:2]))])
    why = phrase(
        "[By spread (std), first and second stretch:|In the first and in the second stretch vary] {cited}; {outcome}.",
        draw, cited=cited, outcome=outcome,
    )  # fmt: skip
    clear = factor < 1.1 or factor > 1.5
    return Answer(why, answer, "high" if clear else "medium")


def _rows_of(finding: Finding, sensor: str) -> dict[str, Number]:
    """The spreads of a sensor's channels, or of its magnitude where the result tells no more."""
    rows = finding.result.get("channels") or finding.result["sensors"]
    at = finding.result["columns"].index("std")
    own = {name: row[at] for name, row in rows.items() if name.startswith(sensor) and isinstance(row[at], Number)}
    return own or {name: row[at] for name, row in rows.items() if isinstance(row[at], Number)}


def _fault(conversation: Conversation, draw: random.Random) -> Answer | None:
    checks = conversation.of("check_signal")
    if not checks:
        return None
    shares = {name: _shares(report) for name, report in checks[-1].result["sensors"].items()}
    faulty = {name: signs for name, signs in shares.items() if signs}
    if not faulty:
        name, report = next(iter(checks[-1].result["sensors"].items()))
        why = phrase(
            "[No sensor|None of the sensors] [sticks, drops out or is cut off|shows a fault]: {name} [misses "
            "{missing}|has a missing share of {missing}] and [is stuck for {stuck}|a stuck share of {stuck}] of its "
            "samples[, and the others are no worse|].",
            draw, name=name, missing=report["missing_share"], stuck=report["stuck_share"],
        )  # fmt: skip
        return Answer(why, "none", "high")
    name = max(faulty, key=lambda sensor: max(share for _, share in faulty[sensor]))
    word, share = max(faulty[name], key=lambda pair: pair[1])
    why = phrase(
        "[{name} is at fault|The fault is in {name}|It is {name} that fails]: a share of {share} of its samples is "
        "{word}[, while the other sensors are whole|].",
        draw, name=name, share=share, word=word,
    )  # fmt: skip
    return Answer(why, name, "high" if len(faulty) == 1 else "medium")


def _shares(report: Mapping[str, Any]) -> list[tuple[str, Number]]:
    """The faults of a sensor with the share of its samples that each takes; noise is none, as rest is noise too."""
    limits = {"missing": 0.02, "stuck": 0.2, "clipped": CLIPPED}
    return [
        (word, share)
        for word, limit in limits.items()
        if isinstance(share := report.get(f"{word}_share"), Number) and share > limit
    ]


def _certainty(conversation: Conversation, draw: random.Random) -> Answer | None:
    if is_measuring(conversation):
        verdict = eliminated(conversation, SESSION)
        if verdict is None:
            return None
        sure = verdict.confidence == "high" and not verdict.left
        text = " ".join(part for part in (reasoned(conversation, SESSION, draw), rests_on(conversation, SESSION, draw),
                                          _how_sure(sure, verdict.label, verdict.second, draw)) if part)  # fmt: skip
        return Answer(text, "sure" if sure else "not sure", "medium")
    wide = [finding for finding in conversation.of("nearest_examples") if finding.arguments.get("k") == WIDE]
    votes = votes_for(tuple(wide))
    if not votes:
        return None
    best = max(votes, key=lambda label: votes[label])
    verdict = weigh(conversation, draw)
    sure = votes[best] >= SURE and verdict.label == best
    counts = wide[0].result["votes"]
    cited = listed([f"{counts[label]} for {label_words(label)}" for label in list(counts)[:3]])
    text = phrase("[The votes of the similar sessions are|Similar sessions vote] {cited}.", draw, cited=cited)
    second = verdict.second if verdict.label == best else verdict.label
    parts = (text, grounds(conversation.findings, draw), _how_sure(sure, best, second, draw))
    return Answer(" ".join(part for part in parts if part), "sure" if sure else "not sure",
                  "high" if votes[best] >= 0.95 or votes[best] <= 0.5 else "medium")  # fmt: skip


def _how_sure(sure: bool, best: str, second: str, draw: random.Random) -> str:
    if sure:
        return phrase("[One can be sure of|There is little doubt about|It is safe to say] {best}.",
                      draw, best=label_words(best))  # fmt: skip
    other = f" or {label_words(second)}" if second else ""
    return phrase("[It may be|Likely it is] {best}{other}, [but nobody can be sure|and that is not sure].",
                  draw, best=label_words(best), other=other)  # fmt: skip


def _unanswerable(conversation: Conversation, draw: random.Random) -> Answer | None:
    topic = topic_of(conversation)
    if topic is None:
        return None
    kinds = list(dict.fromkeys(sensor.kind.replace("_", " ") for sensor in conversation.sensors))
    why = phrase(
        "[None of these channels measures {topic}|Nothing here measures {topic}|For {topic} there is no channel]: "
        "[what is recorded is|they hold|all there is is] {kinds}[, and {topic} does not follow from that|, from which "
        "nobody can read it|]. {grounds} [So that question has no answer here|I would be guessing, so I leave it "
        "open|Any number or name would be invented].",
        draw, topic=topic.topic, kinds=listed(kinds[:4]), grounds=grounds(conversation.findings, draw),
    )  # fmt: skip
    return Answer(" ".join(why.split()), CANNOT_BE_TOLD, "high")


_ANSWERS: Mapping[str, Callable[[Conversation, random.Random], Answer | None]] = {
    "resting": _resting,
    "steps": _steps,
    "change": _change,
    "compare": _compare,
    "fault": _fault,
    "certainty": _certainty,
    "unanswerable": _unanswerable,
}
OWN_ANSWERS = frozenset(_ANSWERS)
