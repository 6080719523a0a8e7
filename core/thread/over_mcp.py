"""What an agent has of a session over the Model Context Protocol beside the sensor tools: two tools, and what its
answer becomes. The server has them from here, and so has who reads a trace of it."""

from __future__ import annotations

BEGIN, ANSWER = "new_session", "answer"
"""What opens a session, and what ends it."""


def closing_message(text: str, answer: str, confidence: str) -> str:
    """The last message of a thread, from what an agent gave apart."""
    return f"{text.strip()}\n\nConfidence: {confidence}\nFinal Answer: {' '.join(answer.split())}"
