"""The filter language: how a line is read, its terms and values, and what they say of a thread.

It knows threads and the workspace's facts; nothing of exports, checks or the screen.
"""
