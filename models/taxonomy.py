"""The 11 categories and 56 subcategories: data in taxonomy.toml, read once and checked.

A recipe says how cameras see a subcategory; `detect.rules` interprets it, `models.taxonomy_file` reads it.
`load_taxonomy` (in `models.taxonomy_file`, also reachable from here) is the front door.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from models.ids import DepartmentId, SubcategoryCode
from models.people import Department
from models.places import ZoneKind
from models.recipe_figures import checked
from models.text import Text


class LimitKind(StrEnum):
    """How a time limit runs: urgent hours around the clock, working hours and days by the calendar."""

    URGENT_HOURS = "u"
    WORKING_HOURS = "w"
    WORKING_DAYS = "d"


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How long handling may take, e.g. 2 urgent hours; written "2u", "4w", "15d", "0.5u"."""

    amount: float
    kind: LimitKind

    @classmethod
    def parse(cls, text: str) -> TimeLimit:
        """Raises ValueError unless the text is a positive number followed by u, w or d."""
        amount = float(text[:-1])
        if not 0 < amount <= 3660:
            raise ValueError(f"time limit {text!r} is not between 0 and 3660")
        return cls(amount, LimitKind(text[-1]))

    def __str__(self) -> str:
        return f"{self.amount:g}{self.kind}"


class SeenBy(StrEnum):
    """Who finds problems of a subcategory: cameras with the shipped weights, or people."""

    CAMERA = "camera"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    zh: str
    en: str


class RuleKind(StrEnum):
    """What a recipe asks of the scene; each has one function in `detect.rules`."""

    DWELL = "dwell"
    COUNT = "count"
    AREA = "area"
    APPEARS = "appears"
    ABSENT = "absent"
    CROSSING = "crossing"
    TOGETHER = "together"
    WORN = "worn"


STATIC_CHANGE = "static_change"
"""The class of regions that differ from the learnt background; any weights can serve a recipe that names it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a subcategory is recognised. A value that is 0 (or empty) asks for nothing.

    classes: any of these is the thing; zones: its foot stands in a zone of one of these kinds, not_zones: and in
    none of those; dwell_s: how long the condition must hold; looks: in at least this many looks; min_score: of a
    detection; count, max_count: how many things; area, max_area: of the picture (0..1), of all things (rule area)
    or each; with_classes, with_count: others within reach (in widths of the thing's box), without_classes: none
    of these within reach; aspect: at least this width per height; from_hour..to_hour: local time of day, both 0
    for always, past midnight when to_hour is the smaller; standing: 1 counts only what stands still; held: 1 counts
    also what somebody holds, rides or carries; flicker: looks that must show it changing its shape in place;
    permit_…: when the thing is allowed here, days as `date.toordinal`, weekdays as bits from Monday = 1, 0 for no
    bound, none set for no permit; assist: 1 shows it to an operator and sends nobody; enabled: 0 switches it off.
    """

    rule: RuleKind
    classes: tuple[str, ...]
    zones: tuple[ZoneKind, ...] = ()
    not_zones: tuple[ZoneKind, ...] = ()
    with_classes: tuple[str, ...] = ()
    without_classes: tuple[str, ...] = ()
    dwell_s: float = 0.0
    looks: float = 1
    min_score: float = 0.35
    count: float = 1
    max_count: float = 0
    area: float = 0.0
    max_area: float = 0.0
    with_count: float = 1
    reach: float = 1.0
    aspect: float = 0.0
    from_hour: float = 0.0
    to_hour: float = 0.0
    standing: float = 0
    held: float = 0
    flicker: float = 0
    permit_from: float = 0
    permit_to: float = 0
    permit_from_hour: float = 0
    permit_to_hour: float = 0
    permit_days: float = 0
    assist: float = 0
    enabled: float = 1

    def overridden(self, values: Mapping[str, float]) -> Recipe:
        """With a camera's own figures. Raises ValueError for what is no figure of a recipe, or out of its range.

        >>> parked = Recipe(RuleKind.DWELL, ("car",), dwell_s=300)
        >>> parked.overridden({"dwell_s": 600}).dwell_s
        600.0
        """
        figures: dict[str, Any] = {name: checked(name, value) for name, value in values.items()}
        return replace(self, **figures)

    @property
    def has_permit(self) -> bool:
        """Whether there are times at which the thing is allowed."""
        return any((self.permit_from, self.permit_to, self.permit_from_hour, self.permit_to_hour, self.permit_days))

    def visible_to(self, names: frozenset[str]) -> bool:
        """Whether a detector with these class names can serve it: one of `classes`, and of `with_classes` if any."""
        known = names | {STATIC_CHANGE}
        return not known.isdisjoint(self.classes) and (not self.with_classes or not known.isdisjoint(self.with_classes))


FIGURES = frozenset(field.name for field in fields(Recipe) if field.type in ("float",))
"""The numbers of a recipe: what a camera may override."""


@dataclass(frozen=True, slots=True)
class Subcategory:
    """A kind of street problem. `seen_by` is the intention; `detect.coverage` tells what the loaded weights see."""

    code: SubcategoryCode
    category: str
    zh: str
    en: str
    national_code: str | None
    limit: TimeLimit
    department: DepartmentId
    seen_by: SeenBy
    recipe: Recipe | None = None
    prompts: tuple[str, ...] = ()

    @property
    def assist(self) -> bool:
        """Its finds are shown to an operator and never sent to anybody without an operator's word."""
        return self.recipe is not None and self.recipe.assist > 0


@dataclass(frozen=True, slots=True)
class ClassWords:
    """How a class is counted in a sentence: zh with its measure word (3 "袋垃圾"), en for one and for many.

    noun: what it is called where nothing is counted ("垃圾", "garbage"); None in a file that gives none.
    """

    zh: str
    en: str
    en_many: str
    noun: Text | None = None


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """What the sub-district manages. Mappings keep the file's order."""

    categories: Mapping[str, Category]
    subcategories: Mapping[SubcategoryCode, Subcategory]
    departments: Mapping[DepartmentId, Department]
    class_words: Mapping[str, ClassWords]

    def assisting(self, codes: Iterable[SubcategoryCode]) -> Taxonomy:
        """The same, with the finds of these subcategories held for an operator's word."""
        held = {
            code: replace(item, recipe=replace(item.recipe, assist=1))
            for code in codes
            if (item := self.subcategories[code]).recipe is not None
        }
        return replace(self, subcategories={**self.subcategories, **held})

    def words(self, name: str) -> ClassWords:
        """The class's words; its bare name where the file has none."""
        return self.class_words.get(name) or ClassWords(f"个{name}", name, f"{name} things")

    def noun(self, name: str) -> Text:
        """What the class is called where nothing is counted; its bare name where the file has no words for it."""
        words = self.class_words.get(name)
        return (words.noun or Text(words.zh, words.en)) if words else Text(name, name)


def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """The shipped taxonomy, or a city's own file. Raises SettingsError that names the file, the place and the fix."""
    from models.taxonomy_file import read_taxonomy

    return read_taxonomy(path or Path(__file__).with_name("taxonomy.toml"))
