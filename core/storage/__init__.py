"""The workspace's files: threads saved atomically, their history, snapshots, drafts, the watch, the log of exports.

Nothing here decides what a thread should say; it keeps what it is given, and overwrites nothing that was not read.
"""
