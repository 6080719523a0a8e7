"""A thread as a value, and every way it can change: turns, edits, branches, what rests on what.

No file, no clock, no network: each function takes a thread and gives a new one.
"""
