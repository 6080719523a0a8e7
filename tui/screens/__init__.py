"""What opens: the main screen, where all that acts is put together, and the screens above it, one per file.

A screen routes keys and shows; what a key does is done in `open_thread`, `thread_list` or `core`.
"""
