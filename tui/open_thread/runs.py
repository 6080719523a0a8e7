"""The runs of the app: the runner on its thread, the model it asks, and the mailbox of its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.errors import UsageError
from core.thread.evidence import DEFAULT, Wanted
from core.thread.form import FULL, TaskForm
from core.workspace import Workspace
from tui.open_thread.bridge import EventBridge

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.runs.runner import TurnRunner


class Runs:
    """Makes the runner when it is first asked for: what a model needs is no part of the app's start."""

    def __init__(self, workspace: Workspace, wake: Callable[[], object]) -> None:
        """Args: `wake` is called, on any thread, when the runs have something to report."""
        self.workspace = workspace
        self.bridge = EventBridge(wake)
        self._runner: TurnRunner | None = None
        self._choice: ModelChoice | None = None

    @property
    def runner(self) -> TurnRunner:
        """The runner; its events come to `bridge`."""
        if self._runner is None:
            from core.runs.runner import TurnRunner

            self._runner = TurnRunner(self.workspace, self.bridge.put)
        return self._runner

    @property
    def choice(self) -> ModelChoice:
        """The endpoint and model that new runs use. Raises UsageError when the settings name none that exists."""
        if self._choice is None:
            from core.model.endpoints import choose

            self._choice = choose(self.workspace)
        return self._choice

    @property
    def wanted_evidence(self) -> Wanted:
        """What a new thread's answer may rest on, unless the person says otherwise."""
        from core.runs.mode import wanted_evidence

        try:
            return wanted_evidence(self.workspace, self.choice)
        except UsageError:  # there is no such endpoint: the run says so
            return self.workspace.settings.run.evidence or DEFAULT

    @property
    def wanted_form(self) -> TaskForm:
        """What a new thread's model is shown of its task, unless the person says otherwise."""
        from core.curate.task import form_named

        try:
            return form_named(self.workspace)
        except UsageError:  # the settings name none that there is
            return FULL

    @choice.setter
    def choice(self, choice: ModelChoice) -> None:
        self._choice = choice

    @property
    def running(self) -> frozenset[str]:
        """Stems of the threads that are running."""
        return self._runner.running if self._runner is not None else frozenset()

    def close(self) -> None:
        """Stop every run, and let each save what came."""
        if self._runner is not None:
            self._runner.close()
