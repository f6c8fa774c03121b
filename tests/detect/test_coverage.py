from detect.coverage import ClassMeasure, coverage
from models.taxonomy import SeenBy, load_taxonomy


def rows(*names: str, **measured: ClassMeasure):  # type: ignore[no-untyped-def]
    return {row.code: row for row in coverage(load_taxonomy(), names, measured)}


def test_there_is_a_row_for_every_subcategory() -> None:
    assert len(rows("person")) == 56


def test_a_class_the_weights_do_not_know_is_left_to_people() -> None:
    found = rows("person", "car")
    assert found["D3"].seen_by is SeenBy.PEOPLE
    assert "graffiti" in found["D3"].evidence
    assert found["J5"].seen_by is SeenBy.PEOPLE


def test_figures_are_those_of_the_worst_class_and_none_where_nothing_was_measured() -> None:
    found = rows("person", "car", "garbage", garbage=ClassMeasure(0.8, 0.7, "val, 123 boxes"))
    assert (found["B1"].seen_by, found["B1"].precision, found["B1"].recall) == (SeenBy.CAMERA, 0.8, 0.7)
    assert "val, 123 boxes" in found["B1"].evidence
    assert found["F1"].precision is None
    assert "not measured" in found["F1"].evidence
    assert found["F1"].as_json()["seen_by"] == "camera"
