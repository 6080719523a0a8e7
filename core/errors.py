"""What can go wrong, said so that a person can act on it."""

from __future__ import annotations


class SensorloomError(Exception):
    """A failure with one clear sentence for the person at the keyboard.

    The sentence names the file or thing, the place in it, and the way out. The command line prints it
    to stderr, the app shows it as a notice; neither shows a traceback.
    """


class UsageError(SensorloomError):
    """The request itself cannot be carried out as it was put."""


class WorkspaceError(SensorloomError):
    """The workspace, its settings or its folders cannot be used."""


class ThreadError(SensorloomError):
    """A thread file cannot be read as a thread."""


class ConflictError(SensorloomError):
    """The file changed since it was read, so saving would overwrite somebody's work."""


class DatasetError(SensorloomError):
    """A dataset, or a raw archive of one, cannot be used."""


class ModelError(SensorloomError):
    """The model's endpoint failed, refused, or broke off."""

    def __init__(self, sentence: str, *, for_all: bool = False) -> None:
        """Args: `for_all` says that every other request of a batch would fail so too."""
        super().__init__(sentence)
        self.for_all = for_all


def system_reason(error: OSError) -> str:
    """The operating system's own words for a failed file operation, as the end of a sentence: `no space left …`."""
    return (error.strerror or str(error)).lower()
