"""A record written by an earlier gridwarden comes forward with everything in it."""

from __future__ import annotations

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, create_engine, select

from dispatch.queries import list_incidents, timeline
from dispatch.steps import take_step
from dispatch.store.migrate import MIGRATIONS
from dispatch.store.store import Store
from dispatch.testing import PHOTO, WANG, observation, see
from dispatch.verify_log import verify_log
from models.geometry import Box
from models.lifecycle import Step
from models.people import Actor, Role
from models.testing import FakeClock

SECOND = "0002"
"""The first form that anybody ran for longer than a trial."""


def work_of_a_day(store: Store, clock: FakeClock) -> None:
    """Incidents seen once and twice, one of them accepted and resolved."""
    for place in range(3):
        see(store, observation(clock.now(), subcategory="A1", box=Box(0.1 * place, 0.1, 0.1 * place + 0.08, 0.2)))
    clock.advance(minutes=3)
    see(store, observation(clock.now(), subcategory="A1", box=Box(0.0, 0.1, 0.08, 0.2)))
    with store.reading() as session:
        chosen = list_incidents(session)[0]
    for step in (Step.ACCEPT, Step.RESOLVE):
        with store.transaction() as session:
            take_step(
                session, incident_id=chosen.incident_id, step=step, actor=Actor(Role.WORKER, WANG), now=clock.now(),
                cause=f"{step}", data={"photo": PHOTO},
            )  # fmt: skip


def upgraded_to(url: str, revision: str) -> Engine:
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def copy_rows(source: Engine, target: Engine) -> None:
    """Every table of the target, with the columns it knows."""
    had, wanted = MetaData(), MetaData()
    had.reflect(source)
    wanted.reflect(target)
    with source.connect() as reading, target.begin() as writing:
        for table in wanted.sorted_tables:
            if table.name == "alembic_version":
                continue
            if writing.execute(select(table).limit(1)).first() is not None:  # what the migrations put there themselves
                writing.execute(table.delete())
            known = had.tables[table.name]
            rows = reading.execute(select(*(known.c[column.name] for column in table.c))).mappings().all()
            if rows:
                writing.execute(table.insert(), [dict(row) for row in rows])


def test_a_record_of_the_second_form_comes_forward_whole(
    new_database: Callable[[], str], database_url: str, store: Store, clock: FakeClock
) -> None:
    work_of_a_day(store, clock)
    url = new_database()
    old = upgraded_to(url, SECOND)
    present = create_engine(database_url)
    copy_rows(present, old)
    present.dispose()
    old.dispose()
    with store.reading() as session:
        before = {one.incident_id: (one, timeline(session, one.incident_id)) for one in list_incidents(session)}

    forward = Store.open(url, clock=clock)
    with forward.reading() as session:
        after = {one.incident_id: (one, timeline(session, one.incident_id)) for one in list_incidents(session)}
    assert after == before
    assert verify_log(forward).differences == ()
    forward.close()
