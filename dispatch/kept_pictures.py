"""Which pictures must stay: every one that an incident somebody still owes something for has ever held."""

from __future__ import annotations

import json
import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.rows import EVENT, INCIDENT
from models.incidents import FINISHED

HASH = re.compile(r"\b[0-9a-f]{64}\b")
"""Pictures are named by SHA-256; found wherever an event mentions them, so that new kinds of events are known."""


def pictures_of_open_incidents(session: Session) -> set[str]:
    """By hash. Those of incidents merged into an open one are its evidence too, over any number of merges."""
    rows = session.execute(select(INCIDENT.c.incident_id, INCIDENT.c.state, INCIDENT.c.merged_into)).all()
    finished = {state.value for state in FINISHED}
    wanted = {row.incident_id for row in rows if row.state not in finished}
    merged = [(row.incident_id, row.merged_into) for row in rows if row.merged_into is not None]
    while more := {one for one, other in merged if other in wanted and one not in wanted}:
        wanted |= more
    pictures: set[str] = set()
    for row in session.execute(select(EVENT.c.incident_id, EVENT.c.data)):
        if row.incident_id in wanted:
            pictures.update(HASH.findall(json.dumps(row.data)))
    return pictures
