"""The verbs of feedback, a module a subject; callers import them from here."""

from feedback.actions.conversations import say

__all__ = ["say"]
