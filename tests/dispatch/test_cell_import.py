"""A district's grid from GeoJSON: every fault named, nothing half-imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from dispatch.cell_checks import Kind, check_cells
from dispatch.cell_file import parse_cells
from dispatch.places import list_cells
from dispatch.store.store import Store
from gridwarden.cli import app
from models.errors import PayloadError
from models.testing import FakeClock

STEP = 0.001
"""Degrees: about a hundred metres."""


def ring(x: float, y: float, width: float = 1, height: float = 1) -> list[list[float]]:
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    return [[120 + STEP * one, 30 + STEP * two] for one, two in corners]


def cell(name: str, *rings: list[list[float]], **more: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": list(rings)}
    return {"type": "Feature", "properties": {"网格编号": name, "名称": f"{name}格"} | more, "geometry": geometry}


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def read(*features: Any) -> Any:
    file = parse_cells(collection(*features), where="test")
    assert file.faults == ()
    return check_cells(file.cells)


def test_cells_that_share_a_border_are_fine() -> None:
    found = read(cell("a", ring(0, 0)), cell("b", ring(1, 0)))
    assert found.faults == found.remarks == ()


def test_an_overlap_is_named_with_both_cells_and_its_size() -> None:
    (remark,) = read(cell("a", ring(0, 0)), cell("b", ring(0.5, 0))).remarks
    assert (remark.kind, remark.cells) == (Kind.OVERLAP, ("a", "b"))
    assert remark.area_m2 == pytest.approx(111.32 * 0.866 * 55.66, rel=0.01)
    assert 120.0005 < remark.at[0] < 120.001


def test_a_gap_the_cells_enclose_is_named_with_those_around_it() -> None:
    around = [cell(f"{x}{y}", ring(x, y)) for x in range(3) for y in range(3) if (x, y) != (1, 1)]
    (remark,) = read(*around).remarks
    assert remark.kind is Kind.GAP
    assert len(remark.cells) >= 4


def test_what_the_parts_of_a_cell_leave_uncovered_or_reach_beyond_is_named() -> None:
    found = read(
        cell("community", ring(0, 0, 2, 1)), cell("a", ring(0, 0), 上级="community"),
        cell("b", ring(1.5, 0), 上级="community"),
    )  # fmt: skip
    assert {(one.kind, one.cells) for one in found.remarks} == {
        (Kind.GAP, ("a", "b")),
        (Kind.OUTSIDE, ("b", "community")),
    }


def test_a_hole_belongs_to_nobody_until_a_cell_fills_it() -> None:
    holed = cell("a", ring(0, 0, 3, 3), ring(1, 1))
    assert [one.kind for one in read(holed).remarks] == [Kind.GAP]
    assert read(holed, cell("b", ring(1, 1))).remarks == ()


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        (cell("a", [[120, 30], [120.1, 30.1], [120.1, 30], [120, 30.1], [120, 30]]), "not valid"),
        (cell("a", ring(0, 0), parent="nobody"), "unknown"),
        (cell("a", ring(0, 0), parent="a"), "within itself"),
    ],
)
def test_what_cannot_be_a_cell_is_a_fault(feature: Any, told: str) -> None:
    (fault,) = read(feature).faults
    assert told in fault.wrong


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        (cell("", ring(0, 0)), "no id"),
        (cell("a", ring(0, 0)[:-1]), "not closed"),
        (cell("a", [[500000, 3000000], [1, 1], [2, 2], [500000, 3000000]]), "no longitude"),
        ({"type": "Feature", "properties": {"id": 1}, "geometry": {"type": "Point", "coordinates": [1, 2]}}, "Point"),
        ({"properties": {"id": 1}}, "no geometry"),
        (7, "no properties"),
    ],
)
def test_a_bad_feature_is_told_by_its_number(feature: Any, told: str) -> None:
    (fault,) = parse_cells(collection(cell("good", ring(5, 5)), feature), where="test").faults
    assert fault.where == "2"
    assert told in fault.wrong


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type":"FeatureCollection"}', "[" * 5000])
def test_what_is_no_geojson_is_refused(text: str) -> None:
    with pytest.raises(PayloadError, match="test"):
        parse_cells(text, where="test")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("type", "coordinates", "id")), inner),
    max_leaves=12,
)


@given(st.lists(st.fixed_dictionaries({"properties": JSON, "geometry": JSON}) | JSON, max_size=4))
def test_no_content_makes_the_reader_fail_in_another_way(features: list[Any]) -> None:
    file = parse_cells(json.dumps({"type": "FeatureCollection", "features": features}), where="test")
    assert file.features == len(features)


@given(st.floats(-0.9, 2), st.floats(-0.9, 2))
def test_two_squares_overlap_by_what_they_share(x: float, y: float) -> None:
    shared = max(0.0, 1 - abs(x)) * max(0.0, 1 - abs(y)) * 111.32**2 * 0.866
    told = sum(r.area_m2 for r in read(cell("a", ring(0, 0)), cell("b", ring(x, y))).remarks if r.kind is Kind.OVERLAP)
    assert told == pytest.approx(shared, rel=0.01, abs=26)


class TestCommand:
    def run(self, tmp_path: Path, text: str, *more: str) -> tuple[int, dict[str, Any]]:
        file = tmp_path / "cells.geojson"
        file.write_text(text, "utf-8")
        result = CliRunner().invoke(
            app, ["cells", "import", str(file), "--data", str(tmp_path / "box"), "--json", *more]
        )
        return result.exit_code, json.loads(result.stdout.splitlines()[0])

    def kept(self, tmp_path: Path) -> set[str]:
        store = Store.open(f"sqlite:///{tmp_path / 'box' / 'gridwarden.sqlite'}", clock=FakeClock())
        try:
            with store.reading() as session:
                return {one.cell_id for one in list_cells(session)}
        finally:
            store.close()

    def test_a_dry_run_tells_and_changes_nothing(self, tmp_path: Path) -> None:
        code, told = self.run(tmp_path, collection(cell("a", ring(0, 0))), "--dry-run")
        assert (code, told["added"], told["dry_run"]) == (0, ["a"], True)
        assert not (tmp_path / "box").exists()

    def test_importing_twice_changes_nothing_the_second_time(self, tmp_path: Path) -> None:
        text = collection(cell("a", ring(0, 0)), cell("b", ring(0.5, 0)))
        code, told = self.run(tmp_path, text)
        assert (code, told["added"], len(told["remarks"])) == (0, ["a", "b"], 1)
        code, told = self.run(tmp_path, text)
        assert (code, told["added"], told["changed"], told["unchanged"]) == (0, [], [], 2)
        assert self.kept(tmp_path) == {"a", "b"}

    def test_one_fault_and_nothing_is_imported(self, tmp_path: Path) -> None:
        self.run(tmp_path, collection(cell("a", ring(0, 0))))
        code, told = self.run(tmp_path, collection(cell("b", ring(1, 0)), cell("b", ring(2, 0))))
        assert code == 1
        assert told["faults"][0]["wrong"] == "the id b is there twice"
        assert self.kept(tmp_path) == {"a"}
