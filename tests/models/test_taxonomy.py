from pathlib import Path

import pytest

from models.errors import SettingsError
from models.ids import SubcategoryCode
from models.taxonomy import STATIC_CHANGE, LimitKind, RuleKind, SeenBy, TimeLimit, load_taxonomy
from models.text import Text

SHIPPED = (Path(__file__).parents[2] / "models" / "taxonomy.toml").read_text("utf-8")


def test_the_shipped_taxonomy_has_all_categories_and_subcategories() -> None:
    taxonomy = load_taxonomy()
    assert "".join(taxonomy.categories) == "ABCDEFGHIJK"
    per_category = [sum(item.category == code for item in taxonomy.subcategories.values()) for code in "ABCDEFGHIJK"]
    assert per_category == [6, 8, 5, 4, 5, 7, 5, 4, 5, 5, 2]


def test_a_subcategory_carries_codes_limit_department_and_both_languages() -> None:
    parking = load_taxonomy().subcategories[SubcategoryCode("F1")]
    assert (parking.zh, parking.en, parking.national_code) == ("机动车违停", "Illegal parking", "09009")
    assert (parking.limit, parking.department) == (TimeLimit(2, LimitKind.URGENT_HOURS), "JT")
    assert parking.recipe is not None
    assert (parking.recipe.rule, parking.recipe.dwell_s) == (RuleKind.DWELL, 300)


def test_every_class_that_the_shipped_weights_may_name_has_words() -> None:
    taxonomy = load_taxonomy()
    classes_txt = ("person", "car", "garbage", "garbage_overflow", "fire", "smoke", "pothole", "graffiti")
    assert all(name in taxonomy.class_words for name in (*classes_txt, STATIC_CHANGE))
    assert taxonomy.words("spaceship").en == "spaceship"


def test_a_recipe_is_visible_only_to_weights_that_know_its_classes() -> None:
    subcategories = load_taxonomy().subcategories
    banner, stall, stacked = (subcategories[SubcategoryCode(code)].recipe for code in ("D1", "A1", "A5"))
    assert banner is not None
    assert stall is not None
    assert stacked is not None
    assert not banner.visible_to(frozenset({"person", "car"}))
    assert not stall.visible_to(frozenset({"umbrella"}))
    assert stall.visible_to(frozenset({"umbrella", "person"}))
    assert stacked.visible_to(frozenset())


def test_a_camera_overrides_figures_and_nothing_else() -> None:
    recipe = load_taxonomy().subcategories[SubcategoryCode("F1")].recipe
    assert recipe is not None
    assert recipe.overridden({"dwell_s": 600}).dwell_s == 600
    with pytest.raises(ValueError, match="dwel_s: a recipe's figures are"):
        recipe.overridden({"dwel_s": 600})


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('code = "A2"', 'code = "A1"', "subcategory A1 appears twice"),
        ('code = "A2"', 'code = "Z2"', "subcategory Z2: its first letter names no category"),
        ('department = "CG"', 'department = "XX"', "department 'XX' is not in"),
        ('limit = "2u"', 'limit = "2x"', "subcategory A1: limit: 'x' is not a valid LimitKind"),
        ('\nseen_by = "camera"', '\nseen_by = "drone"', "subcategory A1: seen_by: 'drone'"),
        ('rule = "together"', 'rule = "magic"', "subcategory A1, recipe: rule: 'magic'"),
        ('zones = ["footway", "carriageway"]', 'zones = ["moon"]', "subcategory A1, recipe: zones: 'moon'"),
        ("reach = 2", "reech = 2", "subcategory A1, recipe: unknown reech"),
        ("reach = 2", "reach = -2", "subcategory A1, recipe: reach = -2 is not a number"),
        ("reach = 2", "reach = nan", "subcategory A1, recipe: reach = nan is not a number"),
        ('zh = "占道经营"', 'zh = " "', "subcategory A1: zh = ' ' is not a text"),
        ('zh = "占道经营"\n', "", "subcategory A1: zh is missing"),
        (', noun_en = "person"', "", "class_words person: noun_en is missing"),
        ("[departments]", "[departmints]", "the file: unknown departmints"),
        ("[departments]", "[departments", "cannot be read"),
    ],
)
def test_a_mistake_in_a_city_s_file_is_named(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    path = tmp_path / "taxonomy.toml"
    assert before in SHIPPED
    path.write_text(SHIPPED.replace(before, after, 1), "utf-8")
    with pytest.raises(SettingsError) as caught:
        load_taxonomy(path)
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_camera_subcategory_needs_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.toml"
    path.write_text(SHIPPED.replace('seen_by = "people"', 'seen_by = "camera"', 1), "utf-8")
    with pytest.raises(SettingsError, match="subcategory C3: seen by cameras, but has no recipe"):
        load_taxonomy(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_taxonomy(tmp_path / "nowhere.toml")


def test_seen_by_people_is_kept_as_it_is_said() -> None:
    assert load_taxonomy().subcategories[SubcategoryCode("J5")].seen_by is SeenBy.PEOPLE


def test_a_class_is_called_by_its_noun_where_nothing_is_counted(tmp_path: Path) -> None:
    taxonomy = load_taxonomy()
    recipes = [item.recipe for item in taxonomy.subcategories.values() if item.recipe]
    named = {name for recipe in recipes for name in (*recipe.classes, *recipe.with_classes)}
    assert not [name for name in named if name not in taxonomy.class_words or not taxonomy.class_words[name].noun]
    assert taxonomy.noun("bus") == Text("客车", "bus")
    assert taxonomy.noun("spaceship") == Text("spaceship", "spaceship")
    path = tmp_path / "taxonomy.toml"
    path.write_text(SHIPPED.replace(', noun_zh = "客车", noun_en = "bus"', ""), "utf-8")
    assert load_taxonomy(path).noun("bus") == Text("辆客车", "bus")
