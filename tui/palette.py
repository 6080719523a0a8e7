"""Every action in the command palette."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.keys import PANE_ACTIONS, Action, ActionId, shown_keys
from tui.local_keys import IN_CONVERSATION, LOCAL_ACTIONS


class Acting(Protocol):
    """A screen that carries out actions."""

    actions: Sequence[Action]
    """All of them, with a person's own keys."""

    def action_do(self, name: ActionId) -> None:
        """Carry out one."""


class Actions(Provider):
    """Finds actions by their words. Titles are content, so that nothing in them is read as markup."""

    async def discover(self) -> Hits:
        """All actions, before anything is typed."""
        for action in self._actions:
            yield DiscoveryHit(Content(_title(action)), self._command(action), text=_title(action))

    async def search(self, query: str) -> Hits:
        """The actions whose words match."""
        matcher = self.matcher(query)
        for action in self._actions:
            score = max(matcher.match(_title(action)), matcher.match(f"{action.words} {action.id}"))
            if score > 0:
                yield Hit(score, Content(_title(action)), self._command(action), text=_title(action))

    @property
    def _acting(self) -> Acting:
        return cast("Acting", self.screen)

    @property
    def _actions(self) -> list[Action]:
        """All but what a pane, a field or a dialog does by itself, which needs one to act in."""
        local = {action.id for action in (*PANE_ACTIONS, *IN_CONVERSATION, *LOCAL_ACTIONS)}
        return [action for action in self._acting.actions if action.id not in local]

    def _command(self, action: Action) -> Callable[[], None]:
        return lambda: self._acting.action_do(action.id)


def _title(action: Action) -> str:
    return f"{action.label} · {action.help}   {shown_keys(action)}"
