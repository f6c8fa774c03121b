"""How observations, verifications and tasks look on the wire: JSON-ready dicts and MQTT topics.

Only writing is here, with nothing but the standard library; reading what comes from outside is checked at the
edge that receives it (`dispatch.wire`, `detect.requests`). `VERSION` changes when a field changes its meaning.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from models.ids import NodeId, PersonId
from models.observations import Applied, Evidence, Observation, Verification

VERSION = 1
ROOT = "gw/v1"


def observations_topic(node: NodeId | str) -> str:
    """A watch node publishes its finds here; dispatch subscribes with "+"."""
    return f"{ROOT}/observations/{node}"


def committed_topic(node: NodeId | str) -> str:
    """Dispatch names here the keys it has committed: only then may the node's spool forget them."""
    return f"{ROOT}/nodes/{node}/committed"


def requests_topic(node: NodeId | str) -> str:
    """Dispatch asks the node for verification looks and suppressions, again and again until it answers."""
    return f"{ROOT}/nodes/{node}/requests"


def status_topic(node: NodeId | str) -> str:
    """Retained; the node's last will says offline."""
    return f"{ROOT}/nodes/{node}/status"


def tasks_topic(person: PersonId | str) -> str:
    return f"{ROOT}/workers/{person}/tasks"


def replies_topic(person: PersonId | str) -> str:
    return f"{ROOT}/workers/{person}/replies"


def answers_topic(person: PersonId | str) -> str:
    """What became of a worker's reply, by its key."""
    return f"{ROOT}/workers/{person}/answers"


def moment(value: datetime) -> str:
    """ISO 8601 in UTC with microseconds and Z."""
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


def observation_message(observation: Observation) -> dict[str, Any]:
    return {
        "v": VERSION,
        "type": "observation",
        "key": observation.key,
        "node": observation.node_id,
        "camera": observation.camera_id,
        "subcategory": observation.subcategory,
        "first_seen_at": moment(observation.first_seen_at),
        "captured_at": moment(observation.captured_at),
        "box": [round(value, 5) for value in observation.box.xyxy],
        "confidence": round(observation.confidence, 4),
        "why": {"zh": observation.why.zh, "en": observation.why.en},
        "evidence": [_evidence(item) for item in observation.evidence],
        "assist": observation.assist,
    }


def verification_message(verification: Verification) -> dict[str, Any]:
    return {
        "v": VERSION,
        "type": "verification",
        "key": verification.key,
        "node": verification.node_id,
        "camera": verification.camera_id,
        "incident": verification.incident_id,
        "verdict": verification.verdict.value,
        "captured_at": moment(verification.captured_at),
        "why": {"zh": verification.why.zh, "en": verification.why.en},
        "evidence": [_evidence(item) for item in verification.evidence],
    }


def applied_message(applied: Applied) -> dict[str, Any]:
    return {"v": VERSION, "type": "applied", "key": applied.key, "node": applied.node_id}


def _evidence(item: Evidence) -> dict[str, str]:
    return {"picture": item.picture, "role": item.role.value, "taken_at": moment(item.taken_at)}
