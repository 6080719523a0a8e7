"""What the choices of the import dialog mean."""

from __future__ import annotations

import pytest

from core.datasets.tables.form import TableForm
from core.errors import UsageError
from tui.dialogs.import_options import Known, import_options, in_the_dialogs_words, typed_way


def test_the_form_is_what_was_chosen_over_what_was_decided_earlier():
    known = Known(("mine",), {"mine": TableForm(label="intervals", subject="all:ann", length_sec=3.0)})
    chosen = {"form": "mine", "subject": typed_way("ben"), "unit acc": "g", "drop": "a, b\nc", "overlap": "0,5"}
    options = import_options(chosen, known)
    assert options.table == TableForm(
        label="intervals", subject="all:ben", length_sec=3.0, units={"acc": "g"}, drop=("a, b", "c")
    )
    assert (options.length_sec, options.overlap) == (None, 0.5)
    for name, text in (("length", "0"), ("rate", "fast"), ("overlap", "nan"), ("time_unit", "h")):
        with pytest.raises(UsageError):
            import_options({name: text}, known)


def test_another_preset_beside_an_earlier_decision_reads_and_only_windows_are_as_earlier():
    earlier = TableForm(preset="harth", files=("*.csv",), label="column:label", length_sec=3.0, keep_whole=True)
    known = Known(("mine",), {"mine": earlier})
    for preset, read in (("phyphox", TableForm(preset="phyphox", length_sec=3.0, keep_whole=True)), ("harth", earlier)):
        assert import_options({"form": "mine", "preset": preset}, known).table == read
    plain = TableForm(label="folder")
    known = Known(("mine",), {"mine": plain})
    assert import_options({"form": "mine", "preset": "none"}, known).table == plain.over(TableForm(preset="none"))


def test_sentences_name_the_rows_of_the_dialog():
    assert in_the_dialogs_words("say it: --time-unit, or --unit") == "say it: `times count in`, or --unit"
    assert in_the_dialogs_words("--keep-whole keeps them") == "`recordings` keeps them"
