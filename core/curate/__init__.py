"""The actions of a curation session.

Each takes a workspace and what was read, saves, records a step in the thread's history, and returns what now
stands on disk. Every key of the app and every command that changes a thread calls one of these.
"""

from core.curate.running import accept, create_thread, set_aside, take_sample

__all__ = [
    "accept",
    "create_thread",
    "set_aside",
    "take_sample",
]
