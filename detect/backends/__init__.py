"""Detector backends, each behind the `Detector` protocol of `detect.detector`."""
