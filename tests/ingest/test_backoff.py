from hypothesis import given
from hypothesis import strategies as st

from ingest.backoff import BUSY_WAIT_S, LONGEST_RETRY_S, MAX_PER_HOST, PROBE_EVERY_S, TRIPS_AFTER, Hosts, retry_delay_s

HOST = "10.0.0.7:554"


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_delay_grows_and_is_bounded(failures, draw):
    assert 0 < retry_delay_s(failures, draw=draw) <= LONGEST_RETRY_S
    assert retry_delay_s(failures + 1, draw=draw) >= retry_delay_s(failures, draw=draw)


def tripped() -> Hosts:
    hosts = Hosts()
    for _ in range(TRIPS_AFTER):
        assert hosts.wait_s(HOST, now=0) == 0
        hosts.ended(HOST, reached=False, now=0)
    return hosts


def test_a_host_that_never_answers_is_asked_once_in_a_while_for_all_its_cameras():
    hosts = tripped()
    assert hosts.is_open(HOST)
    assert hosts.wait_s(HOST, now=1) > 0
    assert hosts.wait_s(HOST, now=PROBE_EVERY_S) == 0
    assert hosts.wait_s(HOST, now=PROBE_EVERY_S) > 0, "one probe at a time"


def test_one_answer_closes_the_circuit_for_all():
    hosts = tripped()
    hosts.wait_s(HOST, now=PROBE_EVERY_S)
    hosts.ended(HOST, reached=True, now=PROBE_EVERY_S)
    assert not hosts.is_open(HOST)
    assert hosts.wait_s(HOST, now=PROBE_EVERY_S) == 0


def test_a_failed_probe_keeps_it_open_for_another_while():
    hosts = tripped()
    hosts.wait_s(HOST, now=PROBE_EVERY_S)
    hosts.ended(HOST, reached=False, now=PROBE_EVERY_S + 1)
    assert hosts.wait_s(HOST, now=PROBE_EVERY_S + 2) > 0
    assert hosts.wait_s(HOST, now=2 * PROBE_EVERY_S + 1) == 0


def test_few_looks_at_one_host_at_a_time():
    hosts = Hosts()
    assert [hosts.wait_s(HOST, now=0) for _ in range(MAX_PER_HOST + 1)] == [0] * MAX_PER_HOST + [BUSY_WAIT_S]
    hosts.ended(HOST, reached=None, now=0)
    assert hosts.wait_s(HOST, now=0) == 0


def test_files_have_no_host_and_no_limit():
    hosts = Hosts()
    assert all(hosts.wait_s("", now=0) == 0 for _ in range(100))


def test_hosts_without_cameras_are_forgotten_once_their_looks_ended():
    hosts = tripped()
    hosts.keep_only(set())
    assert not hosts.is_open(HOST)
