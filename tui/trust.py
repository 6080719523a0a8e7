"""The question whether a folder may act, asked before anything else of it is opened."""

from __future__ import annotations

from textual.driver import Driver
from textual.screen import Screen

from core.trust import Question
from tui.dialogs.ask import ChooseScreen, Way
from tui.terminal.coloured_app import ColouredApp
from tui.terminal.driver import guarded
from tui.terminal.output_diff import terse

_TEXT = "Somebody else's folder is only data until you trust it. This one would act:"
_WAYS = (
    Way("t", "trust it", "asked again when one of these files changes"),
    Way("n", "never", "it stays data; `sensorloom trust` changes that"),
)
LATER = "later"
"""The answer that decides nothing: the folder stays data, and the question comes again at the next start."""


class TrustApp(ColouredApp[str]):
    """Ends with `t`, `n` or `LATER`; with None when the person, or the terminal, left."""

    TITLE = "sensorloom"

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def on_mount(self) -> None:
        """Ask."""
        sentences = "\n".join(f"  · {sentence}" for sentence in self._question.sentences)
        screen = ChooseScreen("trust this folder?", f"{self._question.root}\n\n{_TEXT}\n\n{sentences}", _WAYS)
        self.push_screen(screen, lambda key: self.exit(key or LATER))

    def get_driver_class(self) -> type[Driver]:
        """The platform's driver, as the program itself has it."""
        return terse(guarded(super().get_driver_class(), self.exit))

    def get_default_screen(self) -> Screen[None]:
        """Nothing stands behind the question."""
        return Screen()
