"""The one way to a model: endpoints, the client, requests as they are sent and replies as they come back.

It knows messages, not threads' files; errors of servers become sentences here.
"""
