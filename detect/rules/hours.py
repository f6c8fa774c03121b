"""When a recipe applies on a camera: its hours of the day, and the permits that lift it.

A thing that was allowed until now has its time from now on: a night market's stall at 23:01 is packing up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from models.taxonomy import Recipe

LOOK_BACK_DAYS = 8
"""How far back the end of a permit is looked for: an abandoned vehicle's week is the longest dwell."""

_BEFORE = datetime.min


def in_hours(at: datetime, recipe: Recipe) -> bool:
    """at: local time. 22 to 6 runs past midnight; 0 to 0 is always.

    >>> from models.taxonomy import RuleKind
    >>> night = Recipe(RuleKind.DWELL, ("car",), from_hour=22, to_hour=6)
    >>> in_hours(datetime(2026, 1, 1, 23, 30), night), in_hours(datetime(2026, 1, 1, 12), night)
    (True, False)
    """
    return _within(at, recipe.from_hour, recipe.to_hour)


def permitted(at: datetime, recipe: Recipe) -> bool:
    """Whether the thing is allowed now. After midnight a night's permit is still that of the day before.

    >>> from models.taxonomy import RuleKind
    >>> market = Recipe(RuleKind.DWELL, ("umbrella",), permit_from_hour=18, permit_to_hour=1, permit_days=1 << 5)
    >>> saturday = datetime(2026, 11, 28)
    >>> [permitted(saturday + timedelta(hours=hours), market) for hours in (0.5, 17, 19, 24.5, 43)]
    [False, False, True, True, False]
    """
    if not recipe.has_permit or not _within(at, recipe.permit_from_hour, recipe.permit_to_hour):
        return False
    began_yesterday = recipe.permit_from_hour > recipe.permit_to_hour and _hour(at) < recipe.permit_to_hour
    return _on_day(at - timedelta(days=began_yesterday), recipe)


def in_force_since(at: datetime, recipe: Recipe) -> datetime | None:
    """Since when the recipe applies without a break, by the clock alone; None while it does not.

    at: local time; the answer carries its time zone, and is long ago for a recipe that always applies.

    >>> from models.taxonomy import RuleKind
    >>> market = Recipe(RuleKind.DWELL, ("umbrella",), permit_from_hour=18, permit_to_hour=23)
    >>> in_force_since(datetime(2026, 11, 28, 20), market)
    >>> in_force_since(datetime(2026, 11, 28, 23, 10), market)
    datetime.datetime(2026, 11, 28, 23, 0)
    >>> in_force_since(datetime(2026, 11, 28, 9), market)
    datetime.datetime(2026, 11, 27, 23, 0)
    """
    local = at.replace(tzinfo=None)
    if not in_hours(local, recipe) or permitted(local, recipe):
        return None
    since = max(_window_began(local, recipe), _permit_ended(local, recipe))
    return since.replace(tzinfo=at.tzinfo)


def _window_began(local: datetime, recipe: Recipe) -> datetime:
    if recipe.from_hour == recipe.to_hour:
        return _BEFORE + timedelta(days=1)  # room for any time zone
    today = _at_hour(local, recipe.from_hour)
    return today if today <= local else today - timedelta(days=1)


def _permit_ended(local: datetime, recipe: Recipe) -> datetime:
    """The latest end of a permit's day before now."""
    if recipe.has_permit:
        for back in range(LOOK_BACK_DAYS + 1):
            day = local - timedelta(days=back)
            ended = _at_hour(day, recipe.permit_to_hour)
            if recipe.permit_from_hour >= recipe.permit_to_hour:
                ended += timedelta(days=1)
            if ended <= local and _on_day(day, recipe):
                return ended
    return _BEFORE + timedelta(days=1)


def _on_day(day: datetime, recipe: Recipe) -> bool:
    number, days = day.toordinal(), int(recipe.permit_days)
    return (
        (not recipe.permit_from or number >= recipe.permit_from)
        and (not recipe.permit_to or number <= recipe.permit_to)
        and (not days or bool(days >> day.weekday() & 1))
    )


def _within(at: datetime, start: float, end: float) -> bool:
    if start == end:
        return True
    return start <= _hour(at) < end if start < end else _hour(at) >= start or _hour(at) < end


def _hour(at: datetime) -> float:
    return at.hour + at.minute / 60 + at.second / 3600


def _at_hour(day: datetime, hour: float) -> datetime:
    return day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
