"""The numbers of a recipe: what each may be, and how a person writes them for one camera.

Inside, every figure is a number, so that a camera's own figures travel and are stored as plain JSON; people write
minutes, hours of the day, and permits with dates and weekdays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

DAY_S = 86400.0

RANGES: Mapping[str, tuple[float, float]] = {
    "dwell_s": (0, 366 * DAY_S),
    "looks": (1, 10_000),
    "min_score": (0, 1),
    "count": (0, 1000),
    "max_count": (0, 1000),
    "area": (0, 1),
    "max_area": (0, 1),
    "with_count": (0, 100),
    "reach": (0, 20),
    "aspect": (0, 10),
    "from_hour": (0, 24),
    "to_hour": (0, 24),
    "flicker": (0, 8),
    "standing": (0, 1),
    "held": (0, 1),
    "assist": (0, 1),
    "enabled": (0, 1),
    "permit_from": (0, date.max.toordinal()),
    "permit_to": (0, date.max.toordinal()),
    "permit_from_hour": (0, 24),
    "permit_to_hour": (0, 24),
    "permit_days": (0, 127),
}
"""Least and most of each figure; whoever writes 90 for an area means percent, and 1500 for an hour 15:00."""

_WRITTEN = ("minutes", "hours", "permit")
"""How people write some of them: minutes = 10, hours = [7, 22], permit = { from = 2026-11-20, hours = [18, 23] }."""

_PERMIT = ("from", "to", "hours", "weekdays")


def checked(name: str, value: object) -> float:
    """Raises ValueError that says what the figure may be.

    >>> checked("area", 0.02), checked("looks", 3)
    (0.02, 3.0)
    """
    if name not in RANGES:
        raise ValueError(f"{name}: a recipe's figures are {', '.join(sorted(RANGES))}")
    least, most = RANGES[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} = {value!r} is not a number")
    if not least <= value <= most:
        raise ValueError(f"{name} = {value!r} is not a number from {least:g} to {most:g}")
    return float(value)


def read_figures(written: Mapping[str, Any]) -> dict[str, float]:
    """A camera's own figures as a person writes them. Raises ValueError naming the figure and what it may be.

    >>> read_figures({"minutes": 10, "hours": [7, 22]})
    {'dwell_s': 600.0, 'from_hour': 7.0, 'to_hour': 22.0}
    >>> read_figures({"permit": {"hours": [18, 23], "weekdays": [4, 5]}})
    {'permit_from_hour': 18.0, 'permit_to_hour': 23.0, 'permit_days': 48.0}
    """
    figures: dict[str, float] = {}
    for name, value in written.items():
        if name == "minutes":
            figures["dwell_s"] = checked("dwell_s", 60 * _number(value, "minutes"))
        elif name == "hours":
            figures |= _hours(value, "hours", "")
        elif name == "permit":
            figures |= _permit(value)
        elif name in RANGES:
            figures[name] = checked(name, value)
        else:
            known = ", ".join(sorted([*RANGES, *_WRITTEN]))
            raise ValueError(f"{name}: a recipe's figures are {known}")
    return figures


def _permit(value: object) -> dict[str, float]:
    """On these days and hours the recipe's thing is allowed at this camera."""
    if not isinstance(value, Mapping) or not value or value.keys() - set(_PERMIT):
        raise ValueError(f"permit = {value!r}: write some of {', '.join(_PERMIT)}, e.g. {{ hours = [18, 23] }}")
    figures: dict[str, float] = {}
    for name in ("from", "to"):
        if name in value:
            figures[f"permit_{name}"] = _day(value[name], f"permit.{name}")
    if figures.get("permit_to", math.inf) < figures.get("permit_from", 0):
        raise ValueError("permit.to lies before permit.from")
    if "hours" in value:
        figures |= _hours(value["hours"], "permit.hours", "permit_")
    if "weekdays" in value:
        figures["permit_days"] = _weekdays(value["weekdays"])
    return figures


def _hours(value: object, name: str, prefix: str) -> dict[str, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{name} = {value!r}: write [from, to], e.g. [7, 22.5]; past midnight [22, 6]")
    return {
        f"{prefix}{edge}_hour": checked(f"{prefix}{edge}_hour", item)
        for edge, item in zip(("from", "to"), value, strict=True)
    }


def _day(value: object, name: str) -> float:
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{name} = {value!r} is not a day like 2026-11-20") from None
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"{name} = {value!r} is not a day like 2026-11-20")
    return float(value.toordinal())


def _weekdays(value: object) -> float:
    if not isinstance(value, list | tuple) or not value or not all(day in range(7) for day in value):
        raise ValueError(f"permit.weekdays = {value!r}: write days from 0 (Monday) to 6, e.g. [5, 6]")
    return float(sum(1 << int(day) for day in set(value)))


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} = {value!r} is not a number")
    return float(value)
