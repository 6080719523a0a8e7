"""The screens that open over the list and say what it shows, and in which order."""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen

from tui.thread_list.arranging import Arranging


class ListScreens:
    """Opens them. Each is imported when it is asked for."""

    def __init__(self, screen: Screen[None], arranging: Arranging) -> None:
        self._screen = screen
        self._arranging = arranging

    def choose_field(self, then: Callable[[str | None], None]) -> None:
        """Ask for one of the fields of a filter."""
        from tui.screens.filter_fields import FilterFieldsScreen

        self._screen.app.push_screen(FilterFieldsScreen(), then)

    def choose_sort(self) -> None:
        """Sort by another column."""
        from tui.screens.sorting import SortScreen

        def chosen(order: tuple[str, bool] | None) -> None:
            if order is not None:
                self._arranging.sort_by(order[0], turned=order[1])

        self._screen.app.push_screen(SortScreen(self._arranging.sort, self._arranging.turned), chosen)
