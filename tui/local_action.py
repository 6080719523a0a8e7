"""What an action of a field or a dialog is: the tables of `tui/local_keys.py` are made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.keys import Action, Local, LocalId


@dataclass(frozen=True, slots=True)
class LocalAction(Action):
    """What a key does in one field or dialog, which carries it out itself."""

    act: str = field(default="", kw_only=True)
    """Textual's action there; `{}` in it stands for the key, which is a digit and cannot be another."""
    first: bool = field(default=False, kw_only=True)
    """Whether it goes before what the field that has the focus would do with the key."""

    @property
    def is_digit(self) -> bool:
        """Whether its keys are the numbers of what they choose."""
        return "{}" in self.act


Row = tuple[LocalId, str, str, str, str]
"""An action's id, keys, label, help, and Textual's action."""
DIGITS = "1,2,3,4,5,6,7,8,9"


def at(where: Local, group: str, *rows: Row, first: bool = False) -> tuple[LocalAction, ...]:
    """Actions of one place, in one group of the help."""
    return tuple(
        LocalAction(name, keys, label, about, group, where=where, act=act, first=first)
        for name, keys, label, about, act in rows
    )
