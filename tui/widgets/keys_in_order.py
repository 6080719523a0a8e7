"""Fields whose keys act in the order they were pressed, however many arrive at once."""

from __future__ import annotations

from typing import cast

from textual.events import Key
from textual.widget import Widget

from tui.terminal.textual_private import own_actions


class KeysInOrder:
    """Carries out a key's binding where a letter would be taken; beside a widget among a class's bases.

    Textual takes letters at once, but lets a bound key such as backspace rise to the app first: letters behind it in
    one burst would overtake it.
    """

    async def _on_key(self, event: Key) -> None:
        field = cast("Widget", self)
        for action in own_actions(field, event.key):
            if await field.app.run_action(action, field):
                event.stop()
                event.prevent_default()
                return
