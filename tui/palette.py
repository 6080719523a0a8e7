"""Every action in the command palette."""

from __future__ import annotations

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.keys import ACTIONS, Action, shown_keys


class Actions(Provider):
    """Finds actions by their words. Titles are content, so that nothing in them is read as markup."""

    async def discover(self) -> Hits:
        """All actions, before anything is typed."""
        for one in ACTIONS:
            yield DiscoveryHit(Content(_title(one)), lambda one=one: self._do(one), text=_title(one))

    async def search(self, query: str) -> Hits:
        """The actions whose words match."""
        matcher = self.matcher(query)
        for one in ACTIONS:
            title = _title(one)
            if (score := matcher.match(title)) > 0:
                yield Hit(score, Content(title), lambda one=one: self._do(one), text=title)

    def _do(self, action: Action) -> None:
        self.screen.action_do(action.id)  # pyright: ignore[reportAttributeAccessIssue] - the main screen, which names this provider


def _title(action: Action) -> str:
    return f"{action.help}   {shown_keys(action)}"
