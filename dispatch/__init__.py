"""Observations to closed incidents: store, opening and merging, routing, deadlines, lifecycle, outbox, MQTT, verification, indicators."""
