"""Observations to closed incidents.

Read in this order: `intake` (a message becomes one transaction), `opening` (attach or open), `routing`, `roster`,
`deadlines`, `calendars` (who, until when), `steps` and `followups` (the lifecycle at work), `projection` (events to
present state), `outbox` and `replies` (to and from the worker), `verification` (the camera checks), `sweeps`
(silence is answered), `service` (all of it running). Front doors: `dispatch.store.store.Store`,
`dispatch.service.DispatchService`, `dispatch.queries`, `dispatch.steps.take_step`.
"""
