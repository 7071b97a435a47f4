"""Arithmetic and decisions of goals: plain values in, plain values out."""

from __future__ import annotations

from pmcycle.cycles.rules import Need

NEEDS: dict[str, Need] = {}
