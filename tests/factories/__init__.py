"""Makers of rows for tests, a module an app. Dates are relative to today, so that no test ages."""
