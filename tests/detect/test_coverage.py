import json
from pathlib import Path

import pytest

from detect.coverage import ClassMeasure, RuleMeasure, coverage
from gridwarden.measured_coverage import held_where_wanting
from models.ids import SubcategoryCode
from models.places import ZONE_WORDS, ZoneKind
from models.taxonomy import SeenBy, load_taxonomy
from models.text import Text

MESSAGES = Path(__file__).parents[2] / "dashboard" / "web" / "src" / "messages"
GARBAGE = ClassMeasure(0.8, 0.7, Text("验证集 419 张图片中的 123 个框", "123 boxes in 419 val pictures"))


def rows(*names: str, **measured: ClassMeasure):  # type: ignore[no-untyped-def]
    return {row.code: row for row in coverage(load_taxonomy(), names, measured)}


def test_there_is_a_row_for_every_subcategory() -> None:
    assert len(rows("person")) == 56


def test_a_class_the_weights_do_not_know_is_left_to_people() -> None:
    found = rows("person", "car")
    assert found["D3"].seen_by is SeenBy.PEOPLE
    assert found["D3"].evidence == Text(
        "权重还不能识别涂鸦，由人上报", "reported by people until weights know graffiti"
    )
    assert found["J5"].seen_by is SeenBy.PEOPLE


def test_company_that_the_weights_do_not_know_is_named() -> None:
    evidence = rows("truck")["E4"].evidence
    assert evidence.en == "reported by people until weights know uncovered load"
    assert evidence.zh == "权重还不能识别未密闭的货物，由人上报"


def test_figures_are_those_of_the_worst_class_and_none_where_nothing_was_measured() -> None:
    found = rows("person", "car", "garbage", garbage=GARBAGE)
    assert (found["B1"].seen_by, found["B1"].precision, found["B1"].recall) == (SeenBy.CAMERA, 0.8, 0.7)
    assert found["B1"].evidence == Text(
        "单张图片中“垃圾”的检测，验证集 419 张图片中的 123 个框；规则本身未实测",
        "detection of “garbage” per picture, 123 boxes in 419 val pictures; the rule itself is not measured",
    )
    assert found["F1"].precision is None
    assert found["F1"].evidence == Text(
        "未实测；所看的是：小汽车；须划区：禁停", "not measured; sees car; needs a zone: no parking"
    )


def test_the_figures_of_a_measured_rule_come_before_those_of_its_classes() -> None:
    rule = RuleMeasure(0.95, 0.85, {"composed": 6, "picture": 40})
    found = coverage(load_taxonomy(), ("garbage",), {"garbage": GARBAGE}, rules={"B1": rule})
    row = {one.code: one for one in found}["B1"]
    assert (row.precision, row.recall, row.assist_only, row.trusted) == (0.95, 0.85, False, True)
    assert row.evidence.en == (
        "the rule, measured: 6 events in composed scenes "
        "(real objects of 7 % of the picture's width and more, real clips), "
        "40 in held-out pictures played as cameras"
    )


@pytest.mark.parametrize(
    "rule",
    [
        RuleMeasure(0.89, 1.0, {"composed": 50}),
        RuleMeasure(1.0, 0.79, {"composed": 50}),
        RuleMeasure(None, 0.0, {"composed": 20}),
    ],
)
def test_what_was_measured_and_found_wanting_only_assists(rule: RuleMeasure) -> None:
    row = {one.code: one for one in coverage(load_taxonomy(), ("garbage",), rules={"B1": rule})}["B1"]
    assert row.seen_by is SeenBy.CAMERA
    assert row.assist_only
    assert not row.trusted


def test_what_was_measured_too_seldom_is_neither_trusted_nor_held() -> None:
    seldom = RuleMeasure(0.5, 0.5, {"composed": 4})
    row = {one.code: one for one in coverage(load_taxonomy(), ("garbage",), rules={"B1": seldom})}["B1"]
    assert (row.trusted, row.assist_only) == (False, False)


def test_a_weak_recipe_only_assists_whatever_was_measured() -> None:
    assert load_taxonomy().subcategories[SubcategoryCode("A5")].assist
    assert rows("suitcase")["A5"].assist_only
    assert not rows("person", "car")["F1"].assist_only


def test_finds_of_what_was_found_wanting_wait_for_an_operator() -> None:
    rule = RuleMeasure(0.5, 0.9, {"composed": 50})
    taxonomy = load_taxonomy()
    judged = held_where_wanting(taxonomy, coverage(taxonomy, ("garbage", "car"), rules={"B1": rule}))
    assert judged.subcategories[SubcategoryCode("B1")].assist
    assert not taxonomy.subcategories[SubcategoryCode("B1")].assist
    assert not judged.subcategories[SubcategoryCode("F1")].assist


def test_classes_without_figures_beside_a_measured_one_are_said() -> None:
    evidence = rows("car", "garbage", garbage=GARBAGE)["I3"].evidence
    assert "；也看但未实测：小汽车、新出现的物体；" in evidence.zh
    assert "; also sees, not measured: car, new object;" in evidence.en


def test_programs_get_the_english_sentence_and_the_chinese_one_beside_it() -> None:
    line = rows("car")["F1"].as_json()
    assert list(line) == [
        "code", "zh", "en", "seen_by", "assist_only", "trusted", "precision", "recall", "evidence", "evidence_zh",
    ]  # fmt: skip
    assert line["seen_by"] == "camera"
    assert (line["evidence"][:12], line["evidence_zh"][:3]) == ("not measured", "未实测")


@pytest.mark.parametrize("names", [(), ("person", "car", "garbage", "truck", "umbrella")])
def test_no_chinese_sentence_holds_english(names: tuple[str, ...]) -> None:
    for row in coverage(load_taxonomy(), names, {"garbage": GARBAGE}):
        assert not any(letter.isascii() and letter.isalpha() for letter in row.evidence.zh), row.evidence.zh


def test_kinds_of_zones_are_called_as_on_the_pages() -> None:
    assert set(ZONE_WORDS) == set(ZoneKind)
    for language in ("zh", "en"):
        catalogue = json.loads((MESSAGES / f"{'zh-CN' if language == 'zh' else 'en'}.json").read_text("utf-8"))["zone"]
        assert catalogue == {kind.value: getattr(words, language) for kind, words in ZONE_WORDS.items()}
