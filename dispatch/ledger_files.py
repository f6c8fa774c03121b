"""The ledger as a file: CSV that Excel opens as Chinese, and XLSX with filters and dates that are dates.

Names and notes come from outside. A spreadsheet takes a text that begins with = + - @ for a formula, and runs it:
such texts are written so that they stay texts (OWASP: CSV injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from dispatch.ledger import HEADERS, Cell

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters that start a formula, the full-width ones as Excel in Chinese takes them."""

LONGEST_CELL = 32_767
"""Characters XLSX allows in one cell."""

_WIDTHS = {"说明": 40, "小类": 16, "网格": 18, "摄像头": 20}
_BOM = "\ufeff"


def csv_lines(lines: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark: without it Excel reads Chinese as gibberish."""
    yield (_BOM + _csv(HEADERS)).encode()
    for line in lines:
        yield _csv([_text(cell) for cell in line]).encode()


def write_xlsx(target: Path | IO[bytes], lines: Iterable[Sequence[Cell]], *, title: str) -> int:
    """Writes the workbook, line by line with constant memory; returns how many lines there were."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False}  # fmt: skip
    with xlsxwriter.Workbook(str(target) if isinstance(target, Path) else target, options) as book:
        sheet = book.add_worksheet("台账")
        bold = book.add_format({"bold": True, "bg_color": "#e8eef5", "border": 1, "text_wrap": True})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.set_header(f"&C{title.replace('&', '&&')[:200]}")
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 1)
        for column, header in enumerate(HEADERS):
            sheet.set_column(column, column, _WIDTHS.get(header, 17 if "时间" in header else 10))
            sheet.write_string(0, column, header, bold)
        count = 0
        for line in lines:
            count += 1
            _write_line(sheet, count, line, moment)
        sheet.autofilter(0, 0, count, len(HEADERS) - 1)
    return count


def safe_text(text: str) -> str:
    """As a text that no spreadsheet runs."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _write_line(sheet: Any, row: int, line: Sequence[Cell], moment: Any) -> None:
    for column, cell in enumerate(line):
        if isinstance(cell, datetime):
            sheet.write_datetime(row, column, cell, moment)
        elif isinstance(cell, int | float):
            sheet.write_number(row, column, cell)
        elif cell is not None:
            sheet.write_string(row, column, safe_text(cell)[:LONGEST_CELL])


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return safe_text(cell) if isinstance(cell, str) else str(cell)


def _csv(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
