"""Cameras to Looks: sources, the schedule of looks, the change gate, camera health, the picture store."""
