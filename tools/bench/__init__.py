"""Measures of speed, each beside a floor on the same machine: `./dev bench`. No test, and asserts nothing."""
