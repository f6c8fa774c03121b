"""Looks to Observations: detector backends, scene memory, rules, evidence, the durable spool; training."""
