"""What a terminal sends that is no key must never act as one, however it arrives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import AppFocus, Key, MouseEvent, Paste
from textual.message import Message

from tui.terminal.driver import messages_of
from tui.terminal.input_door import SEQUENCE_SECONDS, InputDoor
from tui.terminal.textual_private import KEY_SEQUENCES, NAMED_KITTY_KEYS, SequenceReader

EXAMPLES = int(os.environ.get("SENSORLOOM_SEQUENCES", "60"))
ESCAPE_SECONDS = 0.1


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Typist:
    """Sends chunks through the door into Textual's parser; `keys` is what the app would be told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.door = InputDoor(KEY_SEQUENCES, NAMED_KITTY_KEYS, ESCAPE_SECONDS, self.clock)
        self.reader = SequenceReader()
        self.messages: list[Message] = []

    def send(self, *chunks: str, rest: float = 0.0) -> Typist:
        for chunk in chunks:
            self._deliver(self.door.feed(chunk))
            self.clock.now += rest
            self._deliver(self.door.tick())
        return self

    def wait(self, seconds: float = SEQUENCE_SECONDS + 0.1) -> Typist:
        self.clock.now += seconds
        self._deliver(self.door.tick())
        return self

    def _deliver(self, arrivals: Iterable[object]) -> None:
        for arrival in arrivals:
            self.messages += messages_of(self.reader, arrival)  # pyright: ignore[reportArgumentType]

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.messages if isinstance(message, Key)]

    @property
    def pasted(self) -> list[str]:
        return [message.text for message in self.messages if isinstance(message, Paste)]


REPLIES = (
    "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
    "\x1b]10;rgb:ffff/ffff/ffff\x07",
    "\x1b]52;c;YWFyZGphYXJk\x07",
    "\x1b]lmy title\x1b\\",
    "\x1bP>|tmux 3.3a\x1b\\",
    "\x1bP1+r544e=787465726d\x1b\\",
    "\x1bP!|00000000\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b^private\x1b\\",
    "\x9d11;rgb:0/0/0\x9c",
    "\x1b[?62;22c",
    "\x1b[>41;354;0c",
    "\x1b[?997;1n",
    "\x1b[0n",
    "\x1b[24;80R",
    "\x1b[8;24;80t",
    "\x1b[?1u",
    "\x1b[?2026;2$z",
    "\x1b[M !!",
    "\x1b[999~",
    "\x1b[106;1:3u",
    "\x1b[57441;2:3u",
    "\x1b[1114112u",
    "\x1b[" + "9" * 5000 + "u",
    "\x1b[<0;" + "9" * 5000 + ";1M",
    "\x1bO5~",
)
KEYS = {
    "a": ["a"],
    "Q": ["Q"],
    "\x1b[A": ["up"],
    "\x1bOP": ["f1"],
    "\x1b[[A": ["f1"],
    "\x1b[1;5C": ["ctrl+right"],
    "\x1b[3~": ["delete"],
    "\r": ["enter"],
    "\x03": ["ctrl+c"],
    "é": ["é"],
    "\x1b[106u": ["j"],
    "\x1b[106;1:1u": ["j"],
    "\x1b[106;1:2u": ["j"],
    "\x1b[97:65;2u": ["A"],
    "\x1b[97:65:113;2:1u": ["A"],
    "\x1b[97;;97u": ["a"],
    "\x1b[122;5u": ["ctrl+z"],
    "\x1b[13;1:1u": ["enter"],
    "\x1b[1;1:1A": ["up"],
    "\x1b[27u": ["escape"],
    "\x1bx": ["alt+x"],
}


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_is_no_key_wherever_it_is_cut_and_whatever_is_joined_to_it(reply: str):
    for cut in range(len(reply) if len(reply) < 100 else 8):
        typist = Typist().send("j" + reply[:cut], reply[cut:] + "k", rest=0.3)
        assert typist.keys[:1] == ["j"] and typist.keys[-1:] == ["k"], (cut, typist.keys)
        # an ESC that nothing follows for so long is the escape key; what then comes is none all the same
        assert typist.keys[1:-1] == ["escape"] * (cut == 1 and reply[0] == "\x1b"), (cut, typist.keys)


@pytest.mark.parametrize(("sent", "keys"), KEYS.items())
def test_a_key_is_a_key_wherever_it_is_cut(sent: str, keys: list[str]):
    assert Typist().send(sent).wait().keys == keys
    for cut in range(1, len(sent)):
        assert Typist().send(sent[:cut], sent[cut:], rest=0.05).wait().keys == keys


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.sampled_from((*REPLIES[:15], *KEYS)), max_size=12), st.data())
def test_keys_among_replies_arrive_all_and_alone(parts: Sequence[str], data: st.DataObject):
    whole = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert Typist().send(*chunks, rest=0.01).wait().keys == [key for part in parts for key in KEYS.get(part, [])]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=8))
def test_nothing_that_can_come_ends_the_reader_or_makes_it_deaf(chunks: list[str]):
    typist = Typist().send(*chunks).wait()
    typist.send("\x1b[201~").wait()
    assert typist.send("j").keys[-1] == "j"


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")).filter(
        lambda text: "\x1b" not in text
    ),
    st.data(),
)
def test_a_paste_comes_whole_and_with_its_lines(text: str, data: st.DataObject):
    whole = f"j\x1b[200~{text}\x1b[201~k"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    chunks = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    typist = Typist().send(*chunks, rest=0.01)
    assert typist.pasted == [text.replace("\r\n", "\n").replace("\r", "\n")]
    assert typist.keys == ["j", "k"]


def test_sequences_within_a_paste_are_text():
    typist = Typist().send("\x1b[200~one\x1b[31mred\x1b]0;title\x07jjj\x1b[201~", rest=0.5).wait()
    assert typist.pasted == ["one\x1b[31mred\x1b]0;title\x07jjj"] and not typist.keys


def test_escape_alone_is_the_escape_key_once_nothing_follows():
    typist = Typist().send("\x1b")
    assert typist.keys == []
    assert typist.wait(ESCAPE_SECONDS).keys == ["escape"]
    assert Typist().send("\x1b\x1b").wait().keys == ["escape", "escape"]


def test_a_reply_whose_end_never_comes_leaves_the_keys_alone():
    assert Typist().send("\x1b]11;rgb:1").wait().send("jk").keys == ["j", "k"]


def test_the_mouse_and_the_focus_still_arrive():
    messages = Typist().send("\x1b[<0;5;", "7M\x1b[", "I").messages
    assert isinstance(messages[0], MouseEvent) and (messages[0].x, messages[0].y) == (4, 6)
    assert isinstance(messages[1], AppFocus)
