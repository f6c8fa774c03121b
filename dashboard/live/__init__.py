"""The live feed: one follower of the event log, many viewers, each bounded."""
