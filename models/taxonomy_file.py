"""Reads taxonomy.toml strictly: a typing mistake in a city's file is named, never silently ignored."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from models.errors import SettingsError
from models.ids import DepartmentId, SubcategoryCode
from models.people import Department
from models.places import ZoneKind
from models.recipe_figures import checked
from models.taxonomy import (
    FIGURES,
    Category,
    ClassWords,
    Recipe,
    RuleKind,
    SeenBy,
    Subcategory,
    Taxonomy,
    TimeLimit,
)
from models.text import Text

_SECTIONS = {"departments", "categories", "subcategories", "class_words"}
_REQUIRED = {"code", "zh", "en", "limit", "department", "seen_by"}
_OPTIONAL = {"national_code", "recipe", "prompts"}
_LISTS = {"classes", "zones", "not_zones", "with_classes", "without_classes"}
_Value = TypeVar("_Value")


def read_taxonomy(path: Path) -> Taxonomy:
    """Raises SettingsError on anything that is missing, unknown, repeated or out of range."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as trouble:
        raise SettingsError(f"{path}: the taxonomy cannot be read ({trouble})") from trouble
    try:
        return _taxonomy(table)
    except (ValueError, KeyError, TypeError, AttributeError) as trouble:
        raise SettingsError(f"{path}: {trouble}") from trouble


def _taxonomy(table: Mapping[str, Any]) -> Taxonomy:
    _only(table, _SECTIONS, _SECTIONS, "the file")
    departments = {
        DepartmentId(code): Department(DepartmentId(code), *_zh_en(row, f"department {code}"))
        for code, row in table["departments"].items()
    }
    categories = {code: Category(code, *_zh_en(row, f"category {code}")) for code, row in table["categories"].items()}
    found: dict[SubcategoryCode, Subcategory] = {}
    for row in table["subcategories"]:
        item = _subcategory(row, set(categories), set(departments))
        if item.code in found:
            raise ValueError(f"subcategory {item.code} appears twice")
        found[item.code] = item
    words = {name: _words(row, name) for name, row in table["class_words"].items()}
    return Taxonomy(categories, found, departments, words)


def _subcategory(row: Mapping[str, Any], categories: set[str], departments: set[DepartmentId]) -> Subcategory:
    place = f"subcategory {row.get('code', '?')}"
    _only(row, _REQUIRED | _OPTIONAL, _REQUIRED, place)
    code, department = _text(row, "code", place), _text(row, "department", place)
    if code[0] not in categories:
        raise ValueError(f"{place}: its first letter names no category ({', '.join(sorted(categories))})")
    if department not in departments:
        raise ValueError(f"{place}: department {department!r} is not in [departments]")
    seen_by = _parsed(SeenBy, row["seen_by"], f"{place}: seen_by")
    recipe = _recipe(row["recipe"], place) if "recipe" in row else None
    if seen_by is SeenBy.CAMERA and recipe is None:
        raise ValueError(f'{place}: seen by cameras, but has no recipe; add one or say seen_by = "people"')
    zh, en = _text(row, "zh", place), _text(row, "en", place)
    return Subcategory(
        SubcategoryCode(code), code[0], zh, en,
        national_code=row.get("national_code"),
        limit=_parsed(TimeLimit.parse, row["limit"], f"{place}: limit"),
        department=DepartmentId(department),
        seen_by=seen_by,
        recipe=recipe,
        prompts=tuple(row.get("prompts", ())),
    )  # fmt: skip


def _recipe(row: Mapping[str, Any], place: str) -> Recipe:
    place = f"{place}, recipe"
    _only(row, FIGURES | _LISTS | {"rule"}, {"rule", "classes"}, place)
    if not row["classes"] or not all(isinstance(name, str) for name in row["classes"]):
        raise ValueError(f"{place}: classes must be a list with at least one class name")
    figures = _parsed(_checked, {n: row[n] for n in sorted(FIGURES & row.keys())}, place)
    return Recipe(
        rule=_parsed(RuleKind, row["rule"], f"{place}: rule"),
        classes=tuple(row["classes"]),
        zones=_zones(row, "zones", place),
        not_zones=_zones(row, "not_zones", place),
        with_classes=tuple(row.get("with_classes", ())),
        without_classes=tuple(row.get("without_classes", ())),
        **figures,
    )


def _checked(written: Mapping[str, Any]) -> dict[str, float]:
    return {name: checked(name, value) for name, value in written.items()}


def _zones(row: Mapping[str, Any], name: str, place: str) -> tuple[ZoneKind, ...]:
    return tuple(_parsed(ZoneKind, kind, f"{place}: {name}") for kind in row.get(name, ()))


def _words(row: Mapping[str, Any], name: str) -> ClassWords:
    place = f"class_words {name}"
    nouns = {"noun_zh", "noun_en"}
    counted = {"zh", "en", "en_many"}
    _only(row, counted | nouns, counted | (nouns if nouns & row.keys() else set()), place)  # a noun in both or none
    noun = Text(_text(row, "noun_zh", place), _text(row, "noun_en", place)) if nouns <= row.keys() else None
    return ClassWords(_text(row, "zh", place), _text(row, "en", place), _text(row, "en_many", place), noun)


def _zh_en(row: Mapping[str, Any], place: str) -> tuple[str, str]:
    _only(row, {"zh", "en"}, {"zh", "en"}, place)
    return _text(row, "zh", place), _text(row, "en", place)


def _text(row: Mapping[str, Any], name: str, place: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: {name} = {value!r} is not a text")
    return value


def _parsed(parse: Callable[[Any], _Value], value: object, place: str) -> _Value:
    try:
        return parse(value)
    except (ValueError, TypeError, IndexError) as trouble:
        raise ValueError(f"{place}: {trouble}") from trouble


def _only(row: Mapping[str, Any], known: set[str] | frozenset[str], required: set[str], place: str) -> None:
    if unknown := row.keys() - known:
        raise ValueError(f"{place}: unknown {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    if missing := required - row.keys():
        raise ValueError(f"{place}: {', '.join(sorted(missing))} is missing")
