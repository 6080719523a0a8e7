"""What could follow in the filter line, shown dim behind the cursor; the right key and tab take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.suggester import Suggester

if TYPE_CHECKING:
    from core.filters.completions import Values


class FilterSuggester(Suggester):
    """Completes the names of terms and the words they know."""

    def __init__(self, values: Callable[[], Values] = lambda: {}) -> None:
        """Args: `values` gives the words that occur in the folder."""
        super().__init__(use_cache=False, case_sensitive=True)
        self._values = values

    async def get_suggestion(self, value: str) -> str | None:
        """The whole line with its last word completed, or None."""
        from core.filters.completions import completions
        from core.filters.explaining import word_at

        word = word_at(value, len(value))
        if not word.text:
            return None
        lines = (value[: word.start] + each for each in completions(value, self._values()))
        return next((line for line in lines if line.startswith(value) and line != value), None)
