"""Words for people, always in both languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in Chinese (shown first) and English."""

    zh: str
    en: str
