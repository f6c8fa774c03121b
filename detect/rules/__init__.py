"""Recipes at work: pure functions from a scene to hits, and from hits to what is told.

Read `plan` (which recipes a camera can serve), `conditions` (where, when), `kinds` (one function per rule),
`episodes` (how long a condition has held, what is told once), `words` (the reason in words).
"""
