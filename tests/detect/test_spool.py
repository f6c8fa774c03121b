import signal
import subprocess
import sys
from pathlib import Path

import pytest

from detect.spool import Spool
from models.errors import DataFolderError
from models.ids import CameraId

WRITER = """
import sys
from pathlib import Path
from detect.spool import Spool
spool = Spool(Path(sys.argv[1]))
for number in range(1_000_000):
    spool.put([{"key": f"k{number}"}], memories={"c1": f"memory after {number}"})
    print(number, flush=True)
"""


def test_messages_leave_in_the_order_they_came_and_only_when_committed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    spool.put([{"key": "a"}, {"key": "b"}])
    spool.put([{"key": "c"}])
    assert [item.key for item in spool.oldest(2)] == ["a", "b"]
    assert [item.key for item in spool.oldest(2)] == ["a", "b"]
    spool.committed(["b", "never heard of"])
    assert [item.key for item in spool.oldest(9)] == ["a", "c"]
    assert (len(spool), spool.holds("a"), spool.holds("b")) == (2, True, False)
    spool.close()


def test_the_same_key_twice_is_one_message(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    spool.put([{"key": "a", "n": 1}])
    spool.put([{"key": "a", "n": 2}])
    assert [item.body for item in spool.oldest(9)] == ['{"key": "a", "n": 1}']
    spool.close()


def test_a_full_spool_says_so_and_has_room_again_after_a_commit(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db", limit=2)
    spool.put([{"key": "a"}, {"key": "b"}])
    assert spool.full
    spool.committed(["a"])
    assert not spool.full
    spool.close()


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    spool.put([{"key": "a"}], memories={CameraId("c1"): "{}"})
    spool.close()
    again = Spool(tmp_path / "spool.db")
    assert (len(again), again.memories()) == (1, {"c1": "{}"})
    again.close()


def test_a_spool_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"not a database, whatever it says" * 100)
    with pytest.raises(DataFolderError, match=r"spool\.db cannot be used"):
        Spool(tmp_path / "spool.db")


def test_kill_9_loses_nothing_that_was_put(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=root) as writer:
        assert writer.stdout is not None
        lines = iter(writer.stdout.readline, b"")
        while int(next(lines)) < 50:
            pass
        writer.send_signal(signal.SIGKILL)
        said = [50, *(int(line) for line in lines if line.endswith(b"\n"))][-1]
    spool = Spool(path)
    keys = [item.key for item in spool.oldest(1_000_000)]
    assert keys[: said + 1] == [f"k{number}" for number in range(said + 1)]
    assert spool.memories() == {CameraId("c1"): f"memory after {len(keys) - 1}"}
    spool.close()
