"""A person's own recordings: tables of any common form, made into sessions.

What a file does not say is decided by looking at it, told as a proposal, and kept beside the dataset. Nothing here
knows a vendor by name where a rule about numbers, names or units serves.
"""
