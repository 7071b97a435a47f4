"""The pages of goals, a module a subject: load, form, act, render."""
