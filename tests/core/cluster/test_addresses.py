"""Where workers ask, what of the environment they are handed, and what a command says where there is no cluster."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from core.cluster.addresses import addresses_of, choice_at, variables_for
from core.cluster.parcels import is_seen, lay_out_parts, parcel_of, parts_of
from core.datasets.standard import open_dataset
from core.errors import UsageError
from core.model.endpoints import BUILTIN, Endpoint, ModelChoice
from core.runs.batches import batches
from core.workspace import Workspace, open_workspace
from tests.tools.made import made_dataset, write_dataset
from tui.__main__ import run


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dataset(tmp_path / "data" / "made", made_dataset(2, 2))
    return open_workspace(str(tmp_path), environ={})


def test_a_server_on_each_node_is_asked_at_the_nodes_own_address():
    endpoint = Endpoint("box", "http://{node}:8000/v1")
    (address,) = addresses_of(endpoint)
    assert choice_at(ModelChoice(endpoint), address, "10.0.0.7").endpoint == Endpoint("box", "http://10.0.0.7:8000/v1")
    assert choice_at(ModelChoice(endpoint), address, "fd00::7").endpoint.base_url == "http://[fd00::7]:8000/v1"


def test_several_addresses_are_told_apart_and_each_is_one():
    assert addresses_of(Endpoint("two", "http://a:8000/v1/, https://b/v1")) == ("http://a:8000/v1", "https://b/v1")
    assert addresses_of(BUILTIN) == ("",)
    with pytest.raises(UsageError, match="b:8000"):
        addresses_of(Endpoint("two", "http://a:8000/v1,b:8000/v1"))


def test_only_the_variables_of_the_endpoint_travel():
    env = {"BOX_KEY": "k", "TEAM": "t", "OTHER": "o", "OPENAI_API_KEY": "own", "OPENAI_ORG_ID": "org"}
    box = Endpoint("box", "http://a/v1", api_key_env="BOX_KEY", options={"headers": {"X-Team": "${TEAM}"}})
    assert variables_for(ModelChoice(box), env) == {"BOX_KEY": "k", "TEAM": "t"}
    openai = Endpoint("openai", "https://api.openai.com/v1", api_key_env="OPENAI_API_KEY")
    assert variables_for(ModelChoice(openai), env) == {"OPENAI_API_KEY": "own", "OPENAI_ORG_ID": "org"}
    assert variables_for(ModelChoice(), env) == {}


def test_a_dataset_arrives_as_it_was_with_its_times(workspace: Workspace, tmp_path: Path):
    parcel = parcel_of(open_dataset(workspace, "made"))
    there = tmp_path / "there" / "made"
    lay_out_parts(there, parts_of(parcel))
    assert is_seen(parcel)
    elsewhere = open_workspace(str(tmp_path), parts={"data": str(there.parent)}, environ={})
    moved = parcel_of(open_dataset(elsewhere, "made"))
    assert moved.digest == parcel.digest and moved.folder != parcel.folder
    (workspace.data / "made" / "labels.json").write_text("{}")
    assert not is_seen(parcel)


REFUSALS = {
    "no ray": (("--ray", "local"), r"Ray is not installed here: `pip install 'sensorloom\[ray\]'` brings it"),
    "a node's address": (("--endpoint", "http://{node}:8000/v1"), "is an address for the workers of a cluster"),
    "send": (("--send-data",), "--send-data goes with --ray"),
    "ways": (("--endpoint", "http://{node}:8000/v1", "--per-session", "2"), "is an address for the workers of a cl"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_cannot_be_is_said_before_a_thread_is_begun(
    workspace: Workspace, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    options, sentence = REFUSALS[kind]
    asked = ["--dataset", "made", "--count", "2", "--question", "What?", *options]
    assert run(["run", "--workspace", str(workspace.root), *asked]) == 1
    shown = capsys.readouterr().err
    assert re.search(sentence, shown), shown
    assert not list(workspace.root.glob("threads/*.json")) and not batches(workspace)
