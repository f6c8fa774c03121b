"""Which recipes a camera serves: its zones, its overrides, and what the loaded weights can see."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import SettingsError
from models.places import Camera, Zone
from models.taxonomy import STATIC_CHANGE, Recipe, SeenBy, Subcategory, Taxonomy


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """One recipe on one camera. zones: those it asks about, empty for the whole picture; excluded: places left out."""

    subcategory: Subcategory
    recipe: Recipe
    zones: tuple[Zone, ...]
    excluded: tuple[Zone, ...]


def plan(camera: Camera, taxonomy: Taxonomy, names: tuple[str, ...]) -> tuple[PlannedRule, ...]:
    """The camera's rules in the taxonomy's order. Raises SettingsError for an override of something that is not."""
    if unknown := camera.overrides.keys() - taxonomy.subcategories.keys():
        raise SettingsError(f"camera {camera.camera_id}: overrides for unknown {', '.join(sorted(unknown))}")
    planned = (_planned(camera, item, frozenset(names)) for item in taxonomy.subcategories.values())
    return tuple(rule for rule in planned if rule is not None)


def needs_background(rules: tuple[PlannedRule, ...]) -> bool:
    """Whether any of the rules asks for static changes: learning a background costs memory."""
    return any(STATIC_CHANGE in rule.recipe.classes for rule in rules)


def _planned(camera: Camera, item: Subcategory, names: frozenset[str]) -> PlannedRule | None:
    if item.recipe is None or item.seen_by is not SeenBy.CAMERA or not item.recipe.visible_to(names):
        return None
    try:
        recipe = item.recipe.overridden(camera.overrides.get(item.code, {}))
    except ValueError as trouble:
        raise SettingsError(f"camera {camera.camera_id}: overrides for {item.code}: {trouble}") from trouble
    zones = tuple(zone for zone in camera.zones if zone.kind in recipe.zones)
    excluded = tuple(zone for zone in camera.zones if zone.kind in recipe.not_zones)
    if not recipe.enabled or (recipe.zones and not zones):
        return None
    return PlannedRule(item, recipe, zones, excluded)
