"""A workspace with an evaluation whose answers are written by hand: two models about eight sessions of `motion`."""

from __future__ import annotations

from pathlib import Path

from core.evaluation.contest import Contestant, Evaluation, begin
from core.storage import store
from core.thread.value import Thread
from core.workspace import Workspace
from tests.tui.motion import QUESTION, motion_workspace

GOOD, POOR = Contestant("good", "builtin", ""), Contestant("poor", "builtin", "")
SESSIONS = tuple(f"s{subject:02d}_{number}" for subject in range(1, 5) for number in range(2))
"""Half of them walking, half of them sitting."""
WRONG = {"good": {"s04_1"}, "poor": {"s01_0", "s02_1", "s03_0", "s03_1"}}
"""At which sessions each answers wrongly; `poor` has none for the last one."""


def truth_of(session: str) -> str:
    return ("walking", "sitting")[int(session[-1])]


def evaluated_workspace(root: Path) -> tuple[Workspace, Evaluation]:
    """The workspace, and its evaluation `first`."""
    workspace = motion_workspace(root)
    evaluation = Evaluation("first", "motion", SESSIONS, QUESTION, 3, 1, (GOOD, POOR))
    begin(workspace, evaluation)
    for contestant in evaluation.contestants:
        folder = evaluation.apart(workspace, contestant).threads
        folder.mkdir(parents=True)
        for number, session in enumerate(SESSIONS):
            store.create(folder, answer(contestant.key, session, number))
    return workspace, evaluation


def answer(key: str, session: str, number: int) -> Thread:
    truth = truth_of(session)
    final = {"walking": "sitting", "sitting": "walking"}[truth] if session in WRONG[key] else truth
    sure = "low" if session in WRONG[key] else "high"
    asked = f'Dataset Information:\n{{"dataset_name": "motion"}}\n\nUser Query: {QUESTION}'
    messages: list[dict[str, object]] = [{"role": "user", "content": asked}]
    if not (key == "poor" and session == SESSIONS[-1]):
        content = f"It is {'even' if key == 'good' else 'hard to say'}.\n\nConfidence: {sure}\nFinal Answer: {final}"
        messages.append({"role": "assistant", "content": content, "usage": {"completion_tokens": 40 + number}})
    metadata = {"dataset": "motion", "session": session, "ground_truth": truth,
                "created_at": f"2026-01-01T00:00:{number:02}+00:00"}  # fmt: skip
    return Thread({"id": f"motion_{session}_v4_{number:04}", "metadata": metadata, "messages": messages})
