from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.calendars import ChineseCalendar, WeekdayCalendar
from dispatch.deadlines import LOCAL, add, between, due_at
from models.taxonomy import LimitKind, TimeLimit

CALENDAR = ChineseCalendar()
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 30)).map(lambda naive: naive.replace(tzinfo=UTC))
HOURS = st.floats(0.25, 120).map(lambda hours: timedelta(minutes=round(hours * 60)))
WORKING = LimitKind.WORKING_HOURS


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("limit", "start", "due"),
    [
        ("2u", local(2026, 11, 23, 23, 30), local(2026, 11, 24, 1, 30)),
        ("4w", local(2026, 11, 23, 9, 0), local(2026, 11, 23, 15, 0)),
        ("4w", local(2026, 11, 23, 17, 0), local(2026, 11, 24, 11, 0)),
        ("4w", local(2026, 11, 23, 13, 0), local(2026, 11, 23, 18, 0)),
        ("4w", local(2026, 11, 27, 16, 0), local(2026, 11, 30, 10, 0)),
        ("1d", local(2026, 11, 23, 10, 0), local(2026, 11, 24, 10, 0)),
        ("1d", local(2026, 9, 30, 10, 0), local(2026, 10, 8, 10, 0)),
        ("2w", local(2026, 9, 20, 9, 0), local(2026, 9, 20, 11, 0)),
    ],
    ids=[
        "urgent hours run past midnight",
        "the midday break does not count",
        "the evening does not count",
        "a start in the break begins at two",
        "the weekend does not count",
        "a day is eight working hours",
        "national day does not count",
        "a make-up sunday is worked",
    ],
)
def test_a_limit_ends_when_its_own_clock_has_run_out(limit: str, start: datetime, due: datetime) -> None:
    assert due_at(TimeLimit.parse(limit), start.astimezone(UTC), CALENDAR) == due


@given(MOMENTS, HOURS)
def test_exactly_the_allowed_time_lies_between_start_and_deadline(start: datetime, allowed: timedelta) -> None:
    assert between(WORKING, start, add(WORKING, allowed, start, CALENDAR), CALENDAR) == allowed


@given(MOMENTS, HOURS, HOURS)
def test_more_time_never_ends_earlier_and_can_be_given_in_two_parts(
    start: datetime, first: timedelta, second: timedelta
) -> None:
    middle = add(WORKING, first, start, CALENDAR)
    assert start < middle <= add(WORKING, first + second, start, CALENDAR) == add(WORKING, second, middle, CALENDAR)


@given(MOMENTS, HOURS)
def test_a_working_deadline_always_lies_in_working_hours(start: datetime, allowed: timedelta) -> None:
    end = add(WORKING, allowed, start, CALENDAR).astimezone(LOCAL)
    hour = end.hour + end.minute / 60 + end.second / 3600 + end.microsecond / 3.6e9
    assert CALENDAR.is_working_day(end.date())
    assert 8 < hour <= 12 or 14 < hour <= 18


def test_the_operators_word_on_a_day_wins() -> None:
    holiday = date(2026, 11, 24)
    assert CALENDAR.is_working_day(holiday)
    assert not ChineseCalendar({holiday: False}).is_working_day(holiday)


def test_a_year_the_calendar_does_not_know_follows_weekdays_and_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calendar = ChineseCalendar()
    days = [date(2093, 5, day) for day in range(1, 15)]
    assert [calendar.is_working_day(day) for day in days] == [WeekdayCalendar().is_working_day(day) for day in days]
    assert len(caplog.messages) == 1
    assert "2093" in caplog.text


def test_a_calendar_without_working_days_is_an_error_and_no_endless_search() -> None:
    class Never:
        def is_working_day(self, day: date) -> bool:
            return False

    with pytest.raises(ValueError, match="check the calendar"):
        due_at(TimeLimit.parse("1w"), datetime(2026, 1, 1, tzinfo=UTC), Never())
