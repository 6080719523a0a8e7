"""What people said of a thread and its turns, as the conversation shows it."""

from __future__ import annotations

from collections.abc import Mapping

from core.text import one_line
from core.thread.judgements import HIGHEST, judgements_of
from core.thread.review import judge_of, reasons_of, tags_of, verdict_of
from core.thread.turn_labels import TurnLabel
from core.thread.value import Thread
from tui.widgets.lines import Line, Span

VERDICTS: Mapping[str, Span] = {
    "accept": ("▲ accepted", "good"),
    "reject": ("▼ rejected", "bad"),
    "skip": ("▷ skipped", "dim"),
}
LABELS: Mapping[TurnLabel, Span] = {
    "good": ("+ good", "good"),
    "neutral": ("= neutral", "dim"),
    "bad": ("- bad", "bad"),
}


def judged(thread: Thread) -> tuple[Line, ...]:
    """The verdict with reasons and judge, and the tags, a line each; nothing where there are neither."""
    spans: list[Span] = []
    lines: list[Line] = []
    if verdict := verdict_of(thread):
        spans.append(VERDICTS.get(verdict, (one_line(verdict, 20), "text")))
        if reasons := reasons_of(thread):
            spans.append((f"  {one_line(', '.join(reasons), 200)}", "text"))
        if judge := judge_of(thread):
            spans.append((f"  {one_line(judge, 40)}", "dim"))
        lines.append(tuple(spans))
        lines += map(_by_model, judgements_of(thread))
    if tags := tags_of(thread):
        lines.append(((" ".join(f"#{one_line(tag, 40)}" for tag in tags), "mark"),))
    return tuple(lines)


def _by_model(judgement: Mapping[str, object]) -> Line:
    """What a judge model said, by which version of which rubric. It is shown once the person has judged, so that both
    judge for themselves."""
    sign, kind = VERDICTS.get(str(judgement.get("verdict")), ("·", "dim"))
    by = f"{judgement.get('model')} by {judgement.get('rubric')} {judgement.get('rubric_sha256')}"
    return (
        (f"  judge {sign.partition(' ')[0]} {judgement.get('score')} of {HIGHEST}", kind),
        (f"  {one_line(str(judgement.get('reason') or ''), 120)}", "text"),
        (f"  {one_line(by, 80)}", "dim"),
    )
