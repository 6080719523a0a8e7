"""The sensor tools a model may call: pure functions over a session's windows.

Numbers only: no files, no network, no clock, and nothing that tells a label.
"""
