"""The ledger: complete, in local time, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.ledger import HEADERS, Cell, ledger
from dispatch.ledger_files import csv_lines, safe_text, write_xlsx
from dispatch.reports import report
from dispatch.store.store import Store
from dispatch.testing import CAMERA, CENTRE, EAST_CAMERA, observation, see
from models.people import Actor, Role
from models.testing import FakeClock

EVIL = '=cmd|"/c calc"!A0'


def lines(store: Store, clock: FakeClock) -> list[tuple[Cell, ...]]:
    with store.reading() as session:
        since, until = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
        return list(ledger(session, store.practice.taxonomy, since=since, until=until))


def test_each_incident_of_the_period_has_a_line_with_names_and_local_times(store: Store, clock: FakeClock) -> None:
    see(store, observation(clock.now(), camera=CAMERA))
    see(store, observation(clock.now(), camera=EAST_CAMERA))
    west, east = (dict(zip(HEADERS, line, strict=True)) for line in lines(store, clock))
    assert (west["网格"], east["网格"]) == ("西网格", "东网格")
    assert (west["小类代码"], west["状态"], west["处置人"], west["来源"]) == ("B1", "已派遣", "王伟", "摄像头")
    assert str(west["发现时间(北京时间)"]) == "2026-11-23 10:00:00"
    assert west["处置时间(北京时间)"] is None


def test_what_a_person_typed_stays_text_in_both_files(store: Store, clock: FakeClock) -> None:
    with store.transaction() as session:
        report(
            session, actor=Actor(Role.OPERATOR, CENTRE), subcategory="B1", now=clock.now(), key="r", note=EVIL,
            camera_id=CAMERA,
        )  # fmt: skip
    found = [("=1+1", EVIL, 7, None, clock.now().replace(tzinfo=None))]
    text = b"".join(csv_lines(found)).decode("utf-8-sig")
    assert next(csv.reader(text.splitlines()[1:])) == ["'=1+1", f"'{EVIL}", "7", "", "2026-11-23 02:00"]
    book = io.BytesIO()
    assert write_xlsx(book, [*lines(store, clock), *found], title="台账") == 2
    with zipfile.ZipFile(book) as file:
        sheet = file.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "autoFilter" in sheet
    assert "案卷号" in sheet
    assert "人工上报" in sheet


@given(st.text(), st.sampled_from("=+-@＝＋－＠\t\r\n"))
def test_no_text_that_starts_a_formula_stays_as_it_is(text: str, start: str) -> None:
    assert safe_text(start + text)[0] == "'"


@pytest.mark.parametrize("text", ["", "垃圾堆积", "a=b", "3-5 袋"])
def test_ordinary_texts_are_not_touched(text: str) -> None:
    assert safe_text(text) == text
