"""The folder on the screen: its feed, the order and filter, verdicts, what a row shows.

Nothing here changes the messages of a thread.
"""
