"""Recorded sessions: the standard form, its check, features, who is held out, one importer per dataset as published.

Nothing here knows threads' messages, and nothing writes into a dataset that is somebody else's.
"""
