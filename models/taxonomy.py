"""The 11 categories and 56 subcategories: data in taxonomy.toml, read once and checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
