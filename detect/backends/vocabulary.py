"""What an open-vocabulary model is told to look for: the taxonomy's prompts, and the class each one stands for."""

from __future__ import annotations

from models.taxonomy import STATIC_CHANGE, Subcategory, Taxonomy


def vocabulary(taxonomy: Taxonomy) -> dict[str, str]:
    """Words -> our class.

    A subcategory's prompts describe the first class of its recipe. Where that is a change in the picture, or there is
    no recipe, they stand for themselves: seen and shown, but no rule asks for them. Every other class that a recipe
    names is looked for by its noun.
    """
    words: dict[str, str] = {}
    for item in taxonomy.subcategories.values():
        for prompt in item.prompts:
            words.setdefault(prompt, _class_of(item, prompt))
    for name in _classes(taxonomy):
        if name not in words.values():
            words.setdefault(taxonomy.noun(name).en, name)
    return words


def _class_of(item: Subcategory, prompt: str) -> str:
    first = item.recipe.classes[0] if item.recipe else STATIC_CHANGE
    return prompt if first == STATIC_CHANGE else first


def _classes(taxonomy: Taxonomy) -> list[str]:
    recipes = [item.recipe for item in taxonomy.subcategories.values() if item.recipe]
    named = [name for recipe in recipes for name in (*recipe.classes, *recipe.with_classes, *recipe.without_classes)]
    return [name for name in dict.fromkeys(named) if name != STATIC_CHANGE]
