"""What could follow in the filter line, shown dim behind the cursor; the right key takes it."""

from __future__ import annotations

from textual.suggester import Suggester


class FilterSuggester(Suggester):
    """Completes the names of terms and the words they know."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole line with its last word completed, or None."""
        from core.filters.completions import completions

        word = value.rpartition(" ")[2].removeprefix("-")
        matches = completions(value) if word else []
        return value.removesuffix(word) + matches[0] if matches else None
