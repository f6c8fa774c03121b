"""The document the front end's types are generated from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from dashboard.openapi import document

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "dashboard" / "web" / "openapi.json"


def test_the_kept_document_is_up_to_date():
    assert KEPT.read_text("utf-8") == document(), (
        "run: python -m dashboard.openapi > dashboard/web/openapi.json, then generate the front end's types"
    )


def test_the_command_prints_it_and_nothing_else():
    printed = subprocess.run(
        [sys.executable, "-m", "dashboard.openapi"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert printed.stdout == document()


def test_what_travels_over_sse_and_mqtt_is_in_it():
    schemas = json.loads(document())["components"]["schemas"]
    assert {"LiveSnapshot", "LiveIncident", "LiveGone", "TaskMessage", "ReplyMessage", "AnswerMessage"} <= set(schemas)


def test_every_reference_in_it_leads_somewhere():
    text = document()
    schemas = json.loads(text)["components"]["schemas"]
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(schemas)
