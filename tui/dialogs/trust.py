"""Whether a folder may name endpoints and run its own tools, asked when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from core.errors import SensorloomError
from core.trust import Question, settle
from tui.dialogs.ask import ChooseScreen, Way

_TEXT = "Somebody else's folder is only data until you trust it. This one would act:"
_WAYS = (
    Way("t", "trust it", "asked again when one of these files changes"),
    Way("n", "never", "it stays data; `sensorloom trust` changes that"),
)


def ask_for_trust(app: App[Any], question: Question, trusted: Callable[[], None]) -> None:
    """Ask, or say what is ignored where a person said no before. `trusted` is called once the answer is kept.

    `esc` decides nothing: the folder stays data, and the question comes again at the next start.
    """

    def say_ignored() -> None:
        app.notify(question.ignored, severity="warning", timeout=15, markup=False)

    def keep(yes: bool) -> None:
        try:
            settle(question.root, question.files, trusted=yes)
        except SensorloomError as error:
            app.call_from_thread(app.notify, str(error), severity="error", markup=False)
            yes = False
        app.call_from_thread(trusted if yes else say_ignored)

    def answered(key: str | None) -> None:
        if key is None:
            say_ignored()
        else:
            app.run_worker(lambda: keep(key == "t"), thread=True)

    if question.answer:
        say_ignored()
        return
    sentences = "\n".join(f"  · {sentence}" for sentence in question.sentences)
    app.push_screen(ChooseScreen("trust this folder?", f"{_TEXT}\n\n{sentences}", _WAYS), answered)
