"""What the line-drawn panes share: lines that come and go without the screen being laid out again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Self

from rich.segment import Segment
from rich.style import Style
from textual.events import Blur, Event, Focus
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.terminal.crash_guard import Guarded, survive
from tui.terminal.textual_private import draw_plain_rows, show_scrolled
from tui.widgets.lines import Line

HINT_GAP = 2
"""Rows that stay empty between what is shown and the hints below it."""


class DrawnLines(Guarded, ScrollView):
    """A scrolled space of so many lines, and the style they are drawn on."""

    DEFAULT_CSS = "DrawnLines { overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }"

    # Textual's own lays out the whole screen at each change; the size of the widget itself never depends on it here
    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        draw_plain_rows(self)
        self._base: Style | None = None
        self._still = False
        """Whether a wish to paint everything again is not heard."""
        self.hints: Callable[[int], Sequence[Line]] = lambda _width: ()
        """What is said at the bottom, in so many columns, where much room is left."""
        self._hinted: Sequence[Line] = ()

    def focus(self, scroll_visible: bool = True) -> Self:
        """Take the focus. The pane's frame shows where it is, so the lines need not be painted again."""
        self._still = True
        super().focus(scroll_visible)
        self._still = False
        return self

    async def on_event(self, event: Event) -> None:
        """Take or lose the focus without the lines being painted again, as in `focus`."""
        self._still = isinstance(event, Focus | Blur)
        await super().on_event(event)
        self._still = False

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Nothing here has another style with the focus: no need to look for one."""

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paint the lines again, or those of some regions."""
        if self._still and not (regions or layout or recompose):
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to each row: not the search for a terminal's own colours, of which there are none here."""
        return [
            line_filter for line_filter in super().get_line_filters() if not isinstance(line_filter, ANSIToTruecolor)
        ]

    @property
    def body(self) -> Size:
        """The space that lines have."""
        return self.scrollable_content_region.size

    def put_size(self, lines: int) -> None:
        """There are so many lines from now on."""
        self._hint(lines)
        size = Size(self.body.width, lines)
        if size != self.virtual_size:
            fits = max(lines, self.virtual_size.height) <= self.body.height
            self.virtual_size = size
            if not fits:  # else the scrollbar is empty, and was
                show_scrolled(self, size)

    def _hint(self, lines: int) -> None:
        """Say something below so many lines, where there is room for it."""
        width, height = self.body
        hints = self.hints(width) if lines + HINT_GAP < height else ()  # what they are may take a look at the thread
        if lines + HINT_GAP + len(hints) > height:
            hints = ()
        if hints != self._hinted:
            rows = max(len(hints), len(self._hinted))
            self._hinted = hints
            self.refresh_lines(max(0, height - rows), rows)

    def hint_at(self, y: int) -> Line:
        """The hint in row `y` of the pane, counted from the top; nothing where there is none."""
        index = y - (self.body.height - len(self._hinted))
        return self._hinted[index] if index >= 0 and self._hinted else ()

    @property
    def base(self) -> Style:
        """The style that each kind of text adds to."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the rows of a region. Rows that cannot be drawn stay blank: the rest of the screen goes on."""
        try:
            return super().render_lines(crop)
        except Exception as error:
            survive(self, error)
            return [Strip.blank(crop.width, self.base)] * crop.height

    def notify_style_update(self) -> None:
        """Forget the style of another theme."""
        self._base = None
        super().notify_style_update()


def strip_of(spans: Iterable[tuple[str, Style]], width: int, base: Style) -> Strip:
    """Styled texts as one row of exactly `width` columns, in as few pieces as it can be: each costs 40 bytes.

    Blanks show nothing but a background, so they join the text before them where that has the row's own.
    """
    pieces: list[tuple[str, Style]] = []
    for text, style in (*spans, ("", base)):
        if pieces:
            last, last_style = pieces[-1]
            if style == last_style or (_plain(last_style, base) and not text.strip(" ") and _plain(style, base)):
                pieces[-1] = (last + text, last_style)
                continue
            if not last.strip(" ") and _plain(last_style, base) and _plain(style, base):
                pieces[-1] = (last + text, style)
                continue
        pieces.append((text, style))
    strip = Strip([Segment(text, style) for text, style in pieces])
    missing = width - strip.cell_length
    if missing > 0:
        last, last_style = pieces[-1]
        if _plain(last_style, base):
            pieces[-1] = (last + " " * missing, last_style)
        else:
            pieces.append((" " * missing, base))
        return Strip([Segment(text, style) for text, style in pieces], width)
    return strip.crop_extend(0, width, base)


def _plain(style: Style, base: Style) -> bool:
    """Whether a blank in this style looks as one in the row's own."""
    return style.bgcolor == base.bgcolor and not (style.underline or style.reverse or style.strike)
