"""The thread on the screen: what is under way in it, runs, proposals, edits, branches and findings.

Nothing here draws lines or lists other threads.
"""
