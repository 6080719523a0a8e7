from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from core.export.profiles import PROFILES, profile_of
from core.export.profiles.profile import Making, RefusedError
from core.export.report import ExportReport, ExportRequest
from core.export.run import export
from core.thread.value import Thread

from .threads import TOOLS, Document, document, rows, workspace


def row_of(profile: str, thread: Document, **options: Any) -> Document:
    make = PROFILES[profile].rows
    assert make is not None
    return make(Thread(thread), Making(**options))[0]


def nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(item is None or nulls(item) for item in value.values())
    return isinstance(value, list) and any(nulls(item) for item in value)


def test_hf_has_object_arguments_string_contents_no_nulls_and_json_strings_where_rows_differ():
    row = row_of("hf", document())
    call = row["messages"][1]["tool_calls"][1]["function"]
    assert call == {"name": "compute_spectrum", "arguments": {"channel_names": ["body_acc_x"]}}
    assert all(isinstance(message["content"], str) for message in row["messages"])
    assert not nulls(row) and "tool_calls" not in row["messages"][-1]
    assert json.loads(row["tools"]) == TOOLS and json.loads(row["metadata"])["ground_truth"] == "walking"
    assert row["messages"][1]["content"] == "Two checks at once — größer?"
    assert not {"type", "version", "source", "system_prompt"} & set(row)


def test_hf_keeps_reasoning_apart_and_marks_only_threads_with_a_turn_out_of_the_loss():
    thread = document()
    assert all("train" not in message for message in row_of("hf", thread)["messages"])
    thread["messages"][1] |= {"train": False, "reasoning_content": "hm"}
    thread["messages"][2]["edited"] = True
    making = Making()
    row = PROFILES["hf"].rows(Thread(thread), making)[0]  # type: ignore[misc]  # hf has rows
    assert [message.get("train") for message in row["messages"]] == [None, False, None, None, True]
    assert row["messages"][1]["reasoning_content"] == "hm" and "edited" not in row["messages"][2]
    assert any("out of the loss" in change for change in making.changes)


def test_ms_swift_has_the_loss_in_its_own_field_on_every_turn_of_the_assistant():
    thread = document()
    thread["messages"][1] |= {"train": False, "reasoning_content": "hm"}
    row = row_of("ms_swift", thread)
    assert [message.get("loss") for message in row["messages"]] == [None, False, None, None, True]
    assert not any({"train", "reasoning_content"} & message.keys() for message in row["messages"])
    assert json.loads(row["tools"]) == TOOLS


def test_verl_has_texts_in_parquet_and_the_class_that_reads_them_beside(tmp_path: Path):
    import pyarrow.parquet as pq

    report = export(workspace(tmp_path, document(1), document(2)), ExportRequest("verl"))
    named = {path.name.partition(".")[2]: path for path in report.beside}
    assert {"verl.yaml", "verl_dataset.py", "parquet"} <= named.keys()
    assert named["parquet"].name in named["verl.yaml"].read_text() and report.path is not None
    read = pq.read_table(named["parquet"]).to_pylist()
    assert read == rows(report.path) and json.loads(read[0]["messages"])[1]["tool_calls"][0]["type"] == "function"
    compile(named["verl_dataset.py"].read_text(), "verl_dataset", "exec")


def test_openrlhf_has_the_script_beside_that_renders_its_rows(tmp_path: Path):
    report = export(workspace(tmp_path, document(1), document(2)), ExportRequest("openrlhf"))
    named = {path.name.partition(".")[2]: path for path in report.beside}
    script = named["openrlhf.py"].read_text()
    compile(script, "openrlhf_rows", "exec")
    assert report.path is not None and report.path.name in script and named["chatml.jinja"].name in script


def test_torchtune_has_texts_and_the_module_that_its_config_names_beside(tmp_path: Path):
    report = export(workspace(tmp_path, document(1), document(2)), ExportRequest("torchtune"))
    (module,) = (path for path in report.beside if path.name.endswith("_torchtune.py"))
    script = module.read_text()
    compile(script, "torchtune_rows", "exec")
    assert report.path is not None and report.path.name in script
    assert f"dataset={module.stem}.train" in script and "." not in module.stem  # a dot would part its name in a config
    assert any(path.name.endswith("chatml.jinja") and path.name in script for path in report.beside)
    assert json.loads(rows(report.path)[0]["messages"])[1]["tool_calls"][0]["type"] == "function"


def test_oumi_has_its_own_conversations_and_refuses_what_it_would_train_though_it_is_not_to_be_learned():
    thread = document()
    row = row_of("oumi", thread)
    assert (row["conversation_id"], row["metadata"]["ground_truth"]) == (thread["id"], "walking")
    assert row["tools"] == TOOLS and not nulls(row["messages"])
    call = row["messages"][1]["tool_calls"][1]["function"]
    assert call == {"name": "compute_spectrum", "arguments": '{"channel_names": ["body_acc_x"]}'}
    thread["messages"][1]["train"] = False
    with pytest.raises(RefusedError, match="out of the loss, which Oumi cannot do"):
        row_of("oumi", thread)


def test_parallel_calls_split_into_turns_of_one_call_each_with_its_result():
    row = row_of("hf", document(), split_calls=True)
    assert [(message["role"], len(message.get("tool_calls", ()))) for message in row["messages"]] == [
        ("user", 0), ("assistant", 1), ("tool", 0), ("assistant", 1), ("tool", 0), ("assistant", 0),
    ]  # fmt: skip
    assert [message["name"] for message in row["messages"] if message["role"] == "tool"] == [
        "show_channel_stats", "compute_spectrum",
    ]  # fmt: skip
    assert [message["content"] for message in row["messages"][1:4:2]] == ["Two checks at once — größer?", ""]


def test_several_leading_user_messages_are_joined_where_templates_alternate():
    thread = document()
    thread["messages"].insert(1, {"role": "user", "content": "And the rest?"})
    assert [m["role"] for m in row_of("hf", thread)["messages"]][:2] == ["user", "assistant"]
    assert row_of("hf", thread)["messages"][0]["content"].endswith("\n\nAnd the rest?")
    assert [m["role"] for m in row_of("openai", thread)["messages"]][:2] == ["user", "user"]


def test_llamafactory_has_one_block_for_parallel_calls_and_one_observation():
    row = row_of("llamafactory", document())
    assert [turn["from"] for turn in row["conversations"]] == ["human", "function_call", "observation", "gpt"]
    called = row["conversations"][1]["value"]
    text, _, block = called.partition("<tool_call>")
    assert text == "Two checks at once — größer?\n"
    assert [call["name"] for call in json.loads(block.removesuffix("</tool_call>"))] == [
        "show_channel_stats", "compute_spectrum",
    ]  # fmt: skip
    assert row["conversations"][2]["value"].count("\n</tool_response>\n<tool_response>\n") == 1
    assert json.loads(row["tools"]) == TOOLS and set(row) == {"conversations", "tools"}
    other = row_of("llamafactory", document(), template="other")["conversations"][2]["value"]
    assert [json.loads(result)["dominant_hz"] for result in json.loads(other)[1:]] == [1.95]


def test_llamafactory_joins_answers_that_follow_one_another():
    thread = document()
    thread["messages"].insert(4, {"role": "assistant", "content": "Let me think.", "tool_calls": None})
    turns = row_of("llamafactory", thread)["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "function_call", "observation", "gpt"]
    assert turns[-1]["value"].startswith("Let me think.\n\nA rhythm")


def test_openai_row_holds_what_its_schema_has_and_nothing_else():
    thread = document()
    thread["messages"][1] |= {"content": "", "train": False}
    row = row_of("openai", thread)
    assert set(row) == {"messages", "tools", "parallel_tool_calls"} and row["parallel_tool_calls"] is True
    assert row["messages"][1]["content"] is None and row["messages"][1]["weight"] == 0
    assert set(row["messages"][2]) == {"role", "tool_call_id", "content"}
    assert set(row["messages"][-1]) == {"role", "content"}
    assert isinstance(row["messages"][1]["tool_calls"][0]["function"]["arguments"], str)


def _bad_arguments(thread: Document) -> None:
    thread["messages"][1]["tool_calls"][0]["function"]["arguments"] = "{not json"


def _list_arguments(thread: Document) -> None:
    thread["messages"][1]["tool_calls"][0]["function"]["arguments"] = "[1]"


def _ends_on_tool(thread: Document) -> None:
    del thread["messages"][-1]


def _no_tools(thread: Document) -> None:
    del thread["tools"]


def _untrained(thread: Document) -> None:
    thread["messages"][1]["train"] = False


def _mark(thread: Document) -> None:
    thread["messages"][1]["content"] = "a <tool_call> in words"


def _empty(thread: Document) -> None:
    thread["messages"][-1]["content"] = " "


def _talks_after_the_answer(thread: Document) -> None:
    thread["messages"][1:4] = []
    thread["messages"].insert(1, {"role": "system", "content": "be brief"})


@pytest.mark.parametrize(
    ("profile", "spoil", "sentence"),
    [
        ("hf", _bad_arguments, "the arguments of show_channel_stats: not JSON"),
        ("hf", _list_arguments, "must be a JSON object"),
        ("hf", _ends_on_tool, "the last message is not the assistant's"),
        ("openai", _no_tools, "holds no tool schemas"),
        ("openai", _empty, "is empty"),
        ("openai", _bad_arguments, "the arguments of show_channel_stats: not JSON"),
        ("llamafactory", _untrained, "1 of its turns are out of the loss"),
        ("llamafactory", _mark, "<tool_call>"),
        ("llamafactory", _talks_after_the_answer, "is out of turn"),
        ("llamafactory", _bad_arguments, "not JSON"),
    ],
)
def test_what_a_trainer_would_drop_or_garble_is_refused_with_the_reason(profile: str, spoil: Any, sentence: str):
    thread = document()
    spoil(thread)
    with pytest.raises(RefusedError, match=sentence):
        row_of(profile, thread)


def exported(tmp_path: Path, profile: str, *documents: Document, **options: Any) -> ExportReport:
    return export(workspace(tmp_path, *documents), ExportRequest(profile, **options))


def beside(report: ExportReport) -> dict[str, str]:
    assert report.path
    return {path.name.removeprefix(report.path.stem): path.read_text() for path in report.beside}


def test_hf_export_has_a_yaml_and_a_script_that_name_the_file(tmp_path: Path):
    report = exported(tmp_path, "hf", document())
    texts = beside(report)
    assert report.path and report.path.name in texts[".axolotl.yaml"] and repr(report.path.name) in texts[".trl.py"]
    assert "type: chat_template" in texts[".axolotl.yaml"] and "message_field_training: train" in texts[".axolotl.yaml"]
    compile(texts[".trl.py"], "trl.py", "exec")
    assert repr(f"{report.path.stem}.chatml.jinja") in texts[".trl.py"] and "generation" in texts[".chatml.jinja"]
    assert json.loads(texts[".manifest.json"])["files"][0]["sha256"] == report.files[0].sha256


def test_openai_export_keeps_id_and_metadata_in_a_sidecar_by_line(tmp_path: Path):
    report = exported(tmp_path, "openai", document(1), document(2))
    lines = [json.loads(line) for line in beside(report)[".lines.jsonl"].splitlines()]
    assert [(line["line"], line["id"][-4:]) for line in lines] == [(1, "0001"), (2, "0002")]
    assert lines[0]["metadata"]["ground_truth"] == "walking"


def test_dataset_info_gains_an_entry_and_loses_none(tmp_path: Path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports/dataset_info.json").write_text('{"theirs": {"file_name": "x.json"}}')
    report = exported(tmp_path, "llamafactory", document())
    info = json.loads((tmp_path / "exports/dataset_info.json").read_text())
    assert report.path and list(info) == ["theirs", report.path.stem]
    entry = info[report.path.stem]
    assert entry["formatting"] == "sharegpt" and entry["columns"] == {"messages": "conversations", "tools": "tools"}
    assert entry["tags"]["function_tag"] == "function_call" and len(entry["tags"]) == 7
    assert f"dataset: {report.path.stem}" in beside(report)[".llamafactory.yaml"]


def test_threads_without_schemas_get_todays_when_their_calls_fit(tmp_path: Path):
    plain, odd = document(1), document(2)
    for each in (plain, odd):
        del each["tools"]
    odd["messages"][1]["tool_calls"][1]["function"]["name"] = "unheard_of"
    report = exported(tmp_path, "hf", plain, odd)
    assert report.exported == 1 and dict(report.skipped) == {"no tool schemas": 1}
    names = [tool["function"]["name"] for tool in json.loads(rows(report.path)[0]["tools"])]
    assert sorted(names) == ["compute_spectrum", "show_channel_stats"]
    assert any("today's" in change for change in report.changes)


@pytest.mark.parametrize("profile", ["openai_v1", "openai", "hf", "llamafactory"])
def test_a_call_without_json_leaves_in_no_form_and_the_rest_does(tmp_path: Path, profile: str):
    odd, blank = document(2), document(3)
    _bad_arguments(odd)
    blank["messages"][1]["tool_calls"][0]["function"]["arguments"] = ""
    report = exported(tmp_path, profile, document(1), odd, blank)
    assert report.exported == 2 and dict(report.skipped) == {"arguments that are not JSON": 1}
    assert report.refusals[0].stem == odd["id"] and "show_channel_stats: not JSON" in report.refusals[0].sentence
    if profile in ("openai_v1", "openai"):
        messages = [message for row in rows(report.path) for message in row["messages"]]
        calls = [call for message in messages for call in message.get("tool_calls") or ()]
        called = [json.loads(call["function"]["arguments"]) for call in calls]
        assert {} in called


def test_an_unknown_profile_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean `llamafactory`"):
        profile_of("llama_factory")
