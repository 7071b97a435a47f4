"""Arithmetic and decisions of feedback: plain values in, plain values out."""

from __future__ import annotations

from pmcycle.cycles.rules import Need

NEEDS: dict[str, Need] = {}
