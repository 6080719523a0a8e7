"""Nothing that is sent or exported tells the label but what was measured; where something would, it is found."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from core.datasets.standard import open_dataset
from core.workspace import Workspace, open_workspace
from tests.bench.adversary import (
    IDS,
    Captured,
    captured,
    exported_views,
    is_found,
    leaves,
    right_guesses,
    sent_views,
    views,
)
from tests.tools.made import made_dataset, write_dataset

PLANTED = ("openai_v1, stored ids: call ids", "openai_v1, stored ids: order of the rows")
"""The plain copy keeps the ids of the documents and their order, and here, as in UCI HAR, ids are in the order of the
labels."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("adversary")
    write_dataset(root / "data" / "made", made_dataset(6, 3))
    return open_workspace(str(root), environ={})


@pytest.fixture(scope="module")
def threads(workspace: Workspace) -> list[Captured]:
    return asyncio.run(captured(workspace, open_dataset(workspace, "made"), 40, ("reference",)))


def test_only_the_ids_that_the_plain_copy_keeps_give_labels_away(workspace: Workspace, threads: list[Captured]):
    every = views(workspace, threads)
    told = {name for name, marks in every.items() if is_found(right_guesses(marks, threads), threads)}
    assert told == set(PLANTED)
    assert len(every) > 12


@pytest.mark.parametrize("key", ["start_sec", "nan_share", "seed"])
def test_a_leak_in_what_is_sent_is_found(threads: list[Captured], key: str):
    """A number that goes with the label, somewhere in a request."""
    places = {label: float(at) for at, label in enumerate(sorted({thread.label for thread in threads}))}

    def leaking(thread: Captured) -> Captured:
        requests: list[Any] = []
        for request in thread.requests:
            messages = [
                {**message, "content": f'{{"{key}": {places[thread.label]}, {message["content"][1:]}'}
                if message["role"] == "tool" and key != "seed"
                else message
                for message in request["messages"]
            ]
            requests.append(
                {**request, "messages": messages} | ({"seed": places[thread.label]} if key == "seed" else {})
            )
        return replace(thread, requests=tuple(requests))

    every = sent_views([leaking(thread) for thread in threads])
    assert any(is_found(right_guesses(marks, threads), threads) for marks in every.values())


def test_requests_have_ids_that_say_nothing_and_the_same_headers(threads: list[Captured]):
    for thread in threads:
        ids = {str(item) for key, item in leaves(list(thread.requests[-1]["messages"])) if key in IDS[:2]}
        assert ids and all(re.fullmatch("[A-Za-z0-9]{9}", item) for item in ids)
        assert set(map(str, thread.headers)) == {str(threads[0].headers[0])}


def test_the_rows_of_a_form_stand_in_an_order_of_their_own(workspace: Workspace, threads: list[Captured]):
    name = "hf: order of the rows"
    first, again = (exported_views(workspace, threads, "hf", "stored")[name] for _ in range(2))
    assert first == again
    places = [row["place"] for row in first]
    by_stem = [places[at] for at in sorted(range(len(threads)), key=lambda at: threads[at].stem)]
    assert by_stem != sorted(places)
