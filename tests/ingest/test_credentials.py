import pytest

from ingest.credentials import Credentials
from ingest.served_snapshot import digest_is_right

DIGEST = 'Digest realm="camera", nonce="n1"'


def test_nothing_is_given_before_anybody_asks() -> None:
    assert Credentials("admin", "s").header("GET", "/") is None


@pytest.mark.parametrize(
    "challenge", [DIGEST, DIGEST + ', qop="auth"', DIGEST + ', qop="auth,auth-int", algorithm=MD5']
)
def test_a_digest_answer_proves_the_password_for_every_request(challenge: str) -> None:
    credentials = Credentials("admin", "s3:cret")
    assert credentials.asked(["Basic realm=x", challenge])
    for _ in range(3):
        header = credentials.header("GET", "/a?b=1") or ""
        assert digest_is_right(header, user="admin", password="s3:cret", method="GET")
        assert "s3:cret" not in header


def test_sha256_is_answered_by_the_example_of_rfc_7616(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    credentials = Credentials("Mufasa", "Circle of Life")
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    credentials.asked(
        [f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="{nonce}"']
    )
    header = credentials.header("GET", "/dir/index.html") or ""
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in header


def test_basic_is_given_where_nothing_better_is_offered() -> None:
    credentials = Credentials("admin", "s")
    assert credentials.asked(['Basic realm="x"'])
    assert credentials.header("GET", "/") == "Basic YWRtaW46cw=="
    assert not credentials.asked(['Basic realm="x"'])


def test_a_new_nonce_is_answered_and_a_refused_answer_is_the_end() -> None:
    credentials = Credentials("admin", "s")
    assert credentials.asked([DIGEST])
    assert credentials.asked([DIGEST.replace("n1", "n2")])
    assert not credentials.asked([DIGEST.replace("n1", "n2")])
    assert credentials.asked([DIGEST.replace("n1", "n2") + ", stale=true"])


def test_what_nobody_speaks_is_not_answered() -> None:
    assert not Credentials("admin", "s").asked(["Negotiate abc", 'Digest realm="x"'])
