"""Rows of training files, logs and traces, read back into threads.

`files` reads what lies in a file as rows with their lines; `forms` tells of which form a row is, and a module for each
family of forms turns it into a `Conversation`; `matching` says which session it is about, `importing` makes threads of
them, as one step that undo takes back. No form is guessed: a row that fits none, or not quite, is refused with its line
and the reason. What writes such rows is `core/export`, of which nothing here knows.
"""
