"""What a model is asked for beside turns, so that threads teach more: ways at a session, its difficulty, other words.

Turns are made by `core.runs` and stored threads changed by `core.curate`; no screen and no argument is known here.
"""
