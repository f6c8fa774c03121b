"""The shared language of gridwarden: plain frozen dataclasses, enums, tables and errors; no I/O.

Read in this order: `pictures` (Look, Detections), `places` (Camera, Zone, GridCell), `observations`
(Observation), `incidents` (Incident, IncidentEvent), `lifecycle` (who may take which step),
`taxonomy` (the 11 categories and 56 subcategories), `people`, `deadlines`, `clock`, `errors`.
Importing any of it loads no third-party package but numpy.
"""
