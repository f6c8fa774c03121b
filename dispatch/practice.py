"""What the city has decided: limits, departments, calendar, how long to be patient. Data, handed to the deciding."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from dispatch.calendars import ChineseCalendar, WorkCalendar
from models.errors import NotFoundError
from models.ids import SubcategoryCode
from models.taxonomy import Subcategory, Taxonomy


@dataclass(frozen=True, slots=True)
class Patience:
    """How long silence is borne before something is done about it.

    receive: a worker's app has this long to say `received` before the incident goes to the next in line; three
    lines (worker, substitute, leader) fit into the 15 minutes that public limits give for accepting.
    republish, republish_longest: first and longest pause between two publishings of one task.
    ask, ask_longest: the same between two askings of a watch node.
    verify: a camera has this long to answer; public limits give 30 minutes for the whole check, so that half is left
    for a person. suppress: how long a place stays masked after "nothing here"; a week covers a weekly market once.
    escalate: an overdue incident goes one step up the line after each such pause without anybody acting; acted: and is
    left alone this long after somebody has, one working day of eight hours.
    reopening: a problem seen again this soon after it was closed is the same problem.
    """

    receive: timedelta = timedelta(minutes=5)
    republish: timedelta = timedelta(seconds=15)
    republish_longest: timedelta = timedelta(minutes=5)
    ask: timedelta = timedelta(seconds=4)
    ask_longest: timedelta = timedelta(seconds=60)
    verify: timedelta = timedelta(minutes=15)
    suppress: timedelta = timedelta(days=7)
    escalate: timedelta = timedelta(minutes=30)
    acted: timedelta = timedelta(hours=8)
    reopening: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Practice:
    """Everything deciding needs to know about the city, one value."""

    taxonomy: Taxonomy
    calendar: WorkCalendar = field(default_factory=ChineseCalendar)
    patience: Patience = field(default_factory=Patience)

    def subcategory(self, code: str) -> Subcategory:
        """Raises NotFoundError for a code the taxonomy does not have."""
        try:
            return self.taxonomy.subcategories[SubcategoryCode(code)]
        except KeyError:
            raise NotFoundError(f"There is no subcategory {code!r}: see the taxonomy for the codes in use") from None
