"""Who sees what. Every query of every route passes through a `Viewer`; nothing is filtered on pages.

| role          | sees                                   | changes                        |
| ------------- | -------------------------------------- | ------------------------------ |
| worker        | own incidents, incidents of own cells  | own incidents                  |
| leader        | own cells                              | incidents of own cells         |
| operator      | everything                             | everything of daily work       |
| analyst       | everything                             | nothing                        |
| administrator | everything                             | everything                     |

A worker or leader without cells answers for the whole sub-district. A thing outside every cell is seen only by
those who see everything.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.ids import CellId
from models.incidents import Incident
from models.people import Actor, Person, Role

EVERYONE = frozenset({Role.WORKER, Role.LEADER, Role.OPERATOR, Role.ANALYST, Role.ADMINISTRATOR})
CHANGERS = EVERYONE - {Role.ANALYST}
COMMAND = frozenset({Role.LEADER, Role.OPERATOR, Role.ADMINISTRATOR})
ASSESSORS = EVERYONE - {Role.WORKER}
_WHOLE_DISTRICT = frozenset({Role.OPERATOR, Role.ANALYST, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in person and the session they came with (`token_hash`, never the token)."""

    person: Person
    token_hash: str

    @property
    def cells(self) -> frozenset[CellId] | None:
        """The cells this person sees; None: all of them, and what lies outside every cell."""
        if self.person.role in _WHOLE_DISTRICT or not self.person.cells:
            return None
        return frozenset(self.person.cells)

    @property
    def actor(self) -> Actor:
        return Actor(self.person.role, self.person.person_id)

    def sees_cell(self, cell_id: CellId | None) -> bool:
        return self.cells is None or cell_id in self.cells

    def owns(self, incident: Incident) -> bool:
        return incident.assignment is not None and incident.assignment.person_id == self.person.person_id

    def sees(self, incident: Incident) -> bool:
        return self.sees_cell(incident.cell_id) or (self.person.role is Role.WORKER and self.owns(incident))
