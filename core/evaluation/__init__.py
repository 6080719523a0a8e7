"""How good models are: the same sessions and questions for each, answers kept apart from training threads, figures.

Nothing here changes a thread of the workspace, and nothing is exported from an evaluation.
"""

MAX_TRIES = 64
"""Tries at one session, at most."""
