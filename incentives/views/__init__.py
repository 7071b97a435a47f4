"""The pages of incentives, a module a subject."""
