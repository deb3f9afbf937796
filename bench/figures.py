"""Figures: quantiles, verdicts, and how busy the machine was while they were taken."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """Give a quantile; the middle one is `quantile(values, 0.5)`."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def verdict(value: float, gate: float, goal: float, *, more_is_better: bool = False) -> str:
    """Say what was reached."""
    if more_is_better:
        value, gate, goal = -value, -gate, -goal
    return "goal" if value <= goal else "gate" if value <= gate else "MISSED"


def against(value: float, gate: float, goal: float, unit: str = "") -> str:
    """Say gate, goal and verdict of a figure of which less is better."""
    return f"(gate {gate:g}{unit}, goal {goal:g}{unit}: {verdict(value, gate, goal)})"


def share(value: float, gate: float, goal: float) -> str:
    """Say gate, goal and verdict of a ratio of which more is better."""
    return f"(gate {gate:g}, goal {goal:g}: {verdict(value, gate, goal, more_is_better=True)})"


def timed(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Give how many milliseconds a call takes by a clock; `time.process_time` knows no waiting."""
    began = clock()
    call()
    return (clock() - began) * 1000


def load() -> str:
    """Say how many processes wanted the machine's processors during the last minute."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
