"""The pages of feedback, a module a subject."""
