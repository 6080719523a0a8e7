"""The threads of packs for who reads many of them in the order of their names: each pack is gone through once, where
each thread for itself would be looked for in every pack."""

from __future__ import annotations

from core.storage.packed import InPack, Packs

_END = b"\xff"
"""Comes after every name, which is UTF-8."""


class InOrder:
    """Where they stand. Who goes back in the order begins anew."""

    def __init__(self, packs: Packs) -> None:
        self.packs = packs
        self._last = _END
        self._rows: list[int] = []
        """Of each pack the first row that may be asked for next."""
        self._names: list[bytes] = []
        """Of each pack the name in that row."""

    def find(self, stem: str) -> InPack | None:
        """Where a thread stands; None where no pack has it any more."""
        try:
            name = stem.encode()
        except UnicodeEncodeError:
            return None
        if name < self._last:
            self._rows = [0] * len(self.packs.packs)
            self._names = [pack.name(0) if len(pack) else _END for pack in self.packs.packs]
        self._last = name
        for number, pack in enumerate(self.packs.packs):
            if self._names[number] < name:
                self._go_to(number, name)
            if self._names[number] == name:
                return None if self.packs.is_gone(stem, pack) else InPack(pack, self._rows[number])
        return None

    def _go_to(self, number: int, name: bytes) -> None:
        pack, row, there = self.packs.packs[number], self._rows[number], self._names[number]
        while there < name:
            row += 1
            there = pack.name(row) if row < len(pack) else _END
        self._rows[number], self._names[number] = row, there
