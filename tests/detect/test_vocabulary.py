"""What an open-vocabulary model is told to look for: every subcategory in words, every class of every recipe."""

from __future__ import annotations

from detect.backends.vocabulary import vocabulary
from detect.weights_check import fitness
from models.taxonomy import load_taxonomy


def test_every_subcategory_has_its_words() -> None:
    taxonomy = load_taxonomy()
    words = vocabulary(taxonomy)
    for item in taxonomy.subcategories.values():
        assert item.prompts, item.code
        assert set(item.prompts) <= set(words)


def test_a_model_told_all_words_lacks_no_class_of_a_recipe() -> None:
    taxonomy = load_taxonomy()
    assert not fitness(vocabulary(taxonomy).values(), taxonomy).missing


def test_words_stand_for_the_thing_that_the_recipe_asks_for() -> None:
    words = vocabulary(load_taxonomy())
    assert words["pile of garbage"] == "garbage"
    assert words["open fire"] == "fire"
    assert words["person lying on the ground"] == "person"
