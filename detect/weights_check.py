"""Which recipes weights can serve, by the names of their classes: what `gridwarden weights check` tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.ids import SubcategoryCode
from models.taxonomy import STATIC_CHANGE, Recipe, SeenBy, Taxonomy


@dataclass(frozen=True, slots=True)
class Fitness:
    """served: subcategories whose recipe these classes serve; by_change: those of them that only watch for a change of
    the picture, which any weights allow; missing: for the others with a recipe, the classes any
    of which would do; unused: classes that no recipe asks for (kept, seen, but never a reason to report).
    """

    served: tuple[SubcategoryCode, ...]
    by_change: tuple[SubcategoryCode, ...]
    missing: dict[SubcategoryCode, tuple[str, ...]]
    unused: tuple[str, ...]
    subcategories: int


def fitness(names: Iterable[str], taxonomy: Taxonomy) -> Fitness:
    """Holds class names, as our recipes spell them, against the taxonomy.

    >>> from models.taxonomy import load_taxonomy
    >>> "I1" in fitness(["fire", "unicorn"], load_taxonomy()).served
    True
    """
    known = frozenset(names)
    recipes = {
        code: item.recipe
        for code, item in taxonomy.subcategories.items()
        if item.recipe is not None and item.seen_by is SeenBy.CAMERA
    }
    asked = {name for recipe in recipes.values() for name in _all_classes(recipe)}
    served = tuple(code for code, recipe in recipes.items() if recipe.visible_to(known))
    return Fitness(
        served=served,
        by_change=tuple(code for code in served if known.isdisjoint(recipes[code].classes)),
        missing={code: _lacking(recipe, known) for code, recipe in recipes.items() if not recipe.visible_to(known)},
        unused=tuple(sorted(known - asked)),
        subcategories=len(taxonomy.subcategories),
    )


def _all_classes(recipe: Recipe) -> tuple[str, ...]:
    return recipe.classes + recipe.with_classes + recipe.without_classes


def _lacking(recipe: Recipe, known: frozenset[str]) -> tuple[str, ...]:
    """One class of each group of which the weights know none."""
    groups = [group for group in (recipe.classes, recipe.with_classes) if group and known.isdisjoint(group)]
    return tuple(name for group in groups for name in group if name != STATIC_CHANGE)
