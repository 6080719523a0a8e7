"""What an evaluation found, as values for a script, as text for a terminal, and as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

from core.evaluation.contest import Contestant, Evaluation
from core.evaluation.scores import (
    STATED,
    Outcome,
    Share,
    calibration_error,
    confusion,
    difference,
    macro_f1,
    macro_f1_interval,
    pass_all,
    pass_at,
    per_dataset,
    per_label,
    reliability,
    share_right,
)
from core.text import counted, one_line
from core.thread.cost import cost_shown
from core.thread.form import FULL

Answers = Mapping[Contestant, Sequence[Outcome]]


def document(evaluation: Evaluation, answers: Answers) -> dict[str, Any]:
    """All figures, as JSON has them. Shares are from 0 to 1, intervals of 95 %."""
    return {
        "name": evaluation.name,
        "datasets": evaluation.datasets,
        "sessions": len(evaluation.asked),
        "subjects": evaluation.subjects,
        "filter": evaluation.filter,
        "question": evaluation.question,
        "evidence": evaluation.evidence,
        "form": evaluation.form.name,
        "seed": evaluation.seed,
        "tries": evaluation.tries,
        "contestants": [_contestant(contestant, outcomes) for contestant, outcomes in answers.items()],
        "differences": [_difference(*pair) for pair in combinations(answers.items(), 2)],
    }


def lines(evaluation: Evaluation, answers: Answers) -> list[str]:
    """The figures as a person reads them; Markdown that stands as text too."""
    tries = f", {counted(evaluation.tries, 'try')} each" if evaluation.tries > 1 else ""
    priced = any(cost_of(outcomes) is not None for outcomes in answers.values())
    form = f" Form of the task: {evaluation.form.name}." if evaluation.form != FULL else ""
    told = [
        f"# {evaluation.name}",
        "",
        f"{evaluation.about}{tries}. Asked: "
        f"“{evaluation.question}”{form} Shares are of all tries; one that is not finished is wrong. Intervals are of "
        "95 %.",
        "",
        f"| who | right | macro F1 | finished | calls | tokens |{' cost |' if priced else ''}",
        f"|---|---|---|---|---|---|{'---|' if priced else ''}",
    ]
    told += [
        _row(contestant, outcomes) + (f" {_cost_shown(outcomes)} |" if priced else "")
        for contestant, outcomes in answers.items()
    ]
    told += ["", "## A finished thread, on average", ""]
    told += ["| who | calls | failed calls | tokens read | written | seconds | cost |", "|---" * 7 + "|"]
    told += [_effort_row(contestant, outcomes) for contestant, outcomes in answers.items()]
    if len(answers) > 1:
        told += ["", "## Differences, on the same sessions", "", "| | points (95 %) | right alone | McNemar's p |"]
        told += ["|---|---|---|---|"]
        told += [_difference_row(*pair) for pair in combinations(answers.items(), 2)]
    told += _shares_table("dataset", answers, per_dataset) if len(evaluation.datasets) > 1 else []
    told += _shares_table("label", answers, per_label)
    for contestant, outcomes in answers.items():
        told += _about(contestant, outcomes, evaluation.tries)
    return told


def _shares_table(name: str, answers: Answers, shares_of: Callable[[Sequence[Outcome]], dict[str, Share]]) -> list[str]:
    """How many tries of each contestant were right, a row for each label or dataset."""
    told = ["", f"## Right for each {name}", "", f"| {name} | {' | '.join(c.key for c in answers)} |"]
    told += ["|---" * (len(answers) + 1) + "|"]
    columns = [shares_of(outcomes) for outcomes in answers.values()]
    return told + [f"| {row} | {' | '.join(str(shares[row]) for shares in columns)} |" for row in (columns or [{}])[0]]


def table(answers: Answers) -> str:
    """Every try as a line of CSV."""
    text = io.StringIO()
    names = (
        "dataset",
        "session",
        "attempt",
        "truth",
        "answer",
        "right",
        "finished",
        "confidence",
        "calls",
        "tokens",
        "stem",
        "cost",
        "tokens_read",
        "seconds",
        "failures",
    )
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("contestant", *names))
    for contestant, outcomes in answers.items():
        writer.writerows((contestant.key, *(getattr(outcome, name) for name in names)) for outcome in outcomes)
    return text.getvalue()


def _contestant(contestant: Contestant, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    share = share_right(outcomes)
    k = max((outcome.attempt + 1 for outcome in outcomes), default=1)
    finished = [outcome for outcome in outcomes if outcome.finished]
    return {
        "key": contestant.key,
        "endpoint": contestant.endpoint,
        "model": contestant.model,
        "tools": contestant.tools,
        "right": share.right,
        "of": share.of,
        "accuracy": share.value,
        "interval": share.interval,
        "finished": len(finished),
        "macro_f1": macro_f1(outcomes),
        "macro_f1_interval": macro_f1_interval(outcomes),
        **({f"pass@{k}": pass_at(outcomes, k), f"pass^{k}": pass_all(outcomes, k)} if k > 1 else {}),
        "per_label": _counts(per_label(outcomes)),
        "per_dataset": _counts(per_dataset(outcomes)),
        "confusion": [
            {"truth": truth, "answer": answer, "count": count}
            for (truth, answer), count in sorted(confusion(outcomes).items())
        ],
        "confidence": _counts(reliability(outcomes)),
        "calibration_error": calibration_error(outcomes),
        **effort(outcomes),
        "cost": cost_of(outcomes),
    }


def _counts(shares: Mapping[str, Share]) -> dict[str, dict[str, int]]:
    return {name: {"right": share.right, "of": share.of} for name, share in shares.items()}


def effort(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """What a finished thread took, on average: calls, failed calls, tokens that were read and written, seconds. None
    where no thread says."""
    finished = [outcome for outcome in outcomes if outcome.finished]
    seconds = [outcome.seconds for outcome in finished if outcome.seconds is not None]
    return {
        "calls": _mean([outcome.calls for outcome in finished]),
        "failures": _mean([outcome.failures for outcome in finished]),
        "tokens_read": _mean([outcome.tokens_read for outcome in finished]),
        "tokens": _mean([outcome.tokens for outcome in finished]),
        "seconds": _mean(seconds) if seconds else None,
    }


def cost_of(outcomes: Sequence[Outcome]) -> float | None:
    """What the tries cost together; None where none says."""
    costs = [outcome.cost for outcome in outcomes if outcome.cost is not None]
    return round(sum(costs), 6) if costs else None


def _cost_shown(outcomes: Sequence[Outcome]) -> str:
    cost = cost_of(outcomes)
    return "–" if cost is None else cost_shown(cost)


def _difference(first: tuple[Contestant, Sequence[Outcome]], second: tuple[Contestant, Sequence[Outcome]]) -> Any:
    apart = difference(first[1], second[1])
    return {
        "first": first[0].key,
        "second": second[0].key,
        "difference": apart.value,
        "interval": apart.interval,
        "only_first": apart.only_first,
        "only_second": apart.only_second,
        "p": apart.p,
    }


def _row(contestant: Contestant, outcomes: Sequence[Outcome]) -> str:
    low, high = macro_f1_interval(outcomes)
    finished = [outcome for outcome in outcomes if outcome.finished]
    mean = _mean([outcome.tokens for outcome in finished])
    calls, tokens = f"{_mean([o.calls for o in finished]):.1f}", f"{mean:.0f}" if mean else "–"
    return (
        f"| {contestant.key} | {share_right(outcomes)} | {macro_f1(outcomes):.3f} ({low:.3f}–{high:.3f}) | "
        f"{len(finished)} of {len(outcomes)} | {calls} | {tokens} |"
    )


def _effort_row(contestant: Contestant, outcomes: Sequence[Outcome]) -> str:
    means, finished = effort(outcomes), [outcome for outcome in outcomes if outcome.finished]
    cost, seconds = cost_of(finished), means["seconds"]
    counts = [f"{means[name]:.1f}" for name in ("calls", "failures")]
    tokens = [f"{mean:,.0f}" if (mean := means[name]) else "–" for name in ("tokens_read", "tokens")]
    told = [*counts, *tokens, "–" if seconds is None else f"{seconds:.1f}"]
    return f"| {' | '.join((contestant.key, *told, '–' if cost is None else cost_shown(cost / len(finished))))} |"


def _difference_row(first: tuple[Contestant, Sequence[Outcome]], second: tuple[Contestant, Sequence[Outcome]]) -> str:
    apart = difference(first[1], second[1])
    low, high = apart.interval
    return (
        f"| {first[0].key} − {second[0].key} | {100 * apart.value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) | "
        f"{apart.only_first} and {apart.only_second} | {apart.p:.3g} |"
    )


def _about(contestant: Contestant, outcomes: Sequence[Outcome], tries: int) -> list[str]:
    told = ["", f"## {contestant.key}", ""]
    if tries > 1:
        some, every = pass_at(outcomes, tries) or 0.0, pass_all(outcomes, tries) or 0.0
        told += [f"At least one of {tries} right: {some:.1%}; all of them: {every:.1%}.", ""]
    told += ["| stated confidence | right |", "|---|---|"]
    told += [f"| {level} | {share} |" for level, share in reliability(outcomes).items()]
    if (error := calibration_error(outcomes)) is not None:
        promised = ", ".join(f"{level} {100 * share:.0f} %" for level, share in STATED.items())
        told += ["", f"Expected calibration error {error:.3f}, where the words promise {promised}."]
    wrong = sorted(((c, t, a) for (t, a), c in confusion(outcomes).items() if t != a), reverse=True)[:8]
    if wrong:
        told += ["", "| true label | answered | times |", "|---|---|---|"]
        told += [f"| {truth} | {one_line(answer, 60).replace('|', '/')} | {count} |" for count, truth, answer in wrong]
    return told


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
