"""Who is signed in, and where their phone connects."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from dashboard.schemas.base import In, Out
from models.people import Role


class SignIn(In):
    # Argon2 reads the whole password: 256 characters are more than anyone types and bound the work.
    username: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=256)]


class Me(Out):
    person_id: str
    name: str
    role: Role
    department: str
    cells: list[str]


class MqttOut(Out):
    ws_url: str
    username: str
    password: str
    client_id: str
    tasks_topic: str
    replies_topic: str
    answers_topic: str
    expires_at: AwareDatetime
