"""What commands say: results on stdout, progress and remarks on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and nothing else.")]

WIDE = 160
"""Columns of a table that goes into a file or a pipe."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Mapping[str, Any]) -> None:
    """One object on one line, flushed: the reader may be a pipe that waits for it."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def say(sentence: str) -> None:
    """A step of set-up or a remark, on stderr."""
    err.print(sentence, markup=False)


def progress_bar() -> Progress:
    """With what is done and the time left, on stderr; silent where stderr is no terminal."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=err
    )


def figure(value: float | None, *, digits: int = 2) -> str:
    """A figure for a table; "–" where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"
