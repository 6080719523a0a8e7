"""An answer that says that the label cannot be told: neither right nor wrong."""

from __future__ import annotations

from core.lint import check_thread
from core.thread.labels import same_label
from core.thread.open_answer import is_open, labels_left, open_answer
from core.thread.updates import recount
from core.thread.value import Thread

LABELS = ["walking", "sitting", "eating_soup"]


def thread(answer: str) -> Thread:
    messages = [
        {"role": "user", "content": "What is it?"},
        {"role": "assistant", "content": f"Nothing parts them.\n\nConfidence: low\nFinal Answer: {answer}"},
    ]
    metadata = {"ground_truth": "sitting", "dataset": "d", "session": "s", "user_query": "What is it?"}
    return recount(Thread({"id": "s_v4_0001", "metadata": metadata, "messages": messages}))


def test_it_is_neither_right_nor_wrong_whichever_labels_it_leaves():
    for left in (("sitting", "eating_soup"), ("walking",), ()):
        told = thread(open_answer(left))
        assert told.status == "finished"
        assert told.metadata["final_answer"] == open_answer(left)
        assert told.metadata["is_correct"] is None
    assert thread("sitting").metadata["is_correct"] is True


def test_the_labels_it_leaves_are_read_back():
    assert labels_left(open_answer(LABELS)) == tuple(LABELS)
    assert labels_left("Cannot be  told (One of sitting, walking)") == ("sitting", "walking")
    assert labels_left("cannot be told") == labels_left("sitting (one of: walking)") == ()
    assert not is_open("sitting")


def test_open_answers_are_grouped_and_found_as_one():
    assert same_label(open_answer(["sitting"]), open_answer(["walking"]))
    assert not same_label(open_answer(["sitting"]), "sitting")


def test_no_check_takes_it_for_a_label_that_is_not_there():
    assert not {"unknown_answer", "counts", "empty_answer"} & {
        finding.check for finding in check_thread(thread(open_answer(["sitting"])))
    }
