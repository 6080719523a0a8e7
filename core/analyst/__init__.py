"""The built-in analyst: a rule-based stand-in for a model, and the prompts every model gets."""
