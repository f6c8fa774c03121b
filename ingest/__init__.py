"""Cameras to Looks.

Front door: `fleet.Fleet` (set_cameras, run, looks, promise, states, counters). The way of a look: `scheduler` says who
is due, `backoff` how long failures wait, `watched` takes the look from a `source.Source` that `open_source` chose by
the camera's address (`addresses`; `sources/` has one file a kind), `health` and `picture_health` judge it, `look_queue`
hands it on, `gate` tells the detector whether anything changed. Beside the way: `picture_store` keeps evidence,
`latest` the newest picture of each camera. `testing`, `served_snapshot` and `served_rtsp` are for tests and benchmarks.
A new kind of source is a file in `sources/` and a line in `open_source`.
"""
