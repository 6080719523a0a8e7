"""The built-in analyst: a rule-based stand-in for a model, and the prompts every model gets.

It sees what a request holds and nothing else: no files, no labels, no session.
"""
