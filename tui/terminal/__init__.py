"""The terminal itself: what goes to it, what comes from it, how it is left tidy.

The one place that may touch what Textual keeps private.
"""
