from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gridwarden.data_folder import opened
from models.errors import DataFolderError

HOLD = """
import sys, time
from pathlib import Path
from gridwarden.data_folder import opened
with opened(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_gridwarden_on_the_same_data_is_refused_and_told_which_process_has_it(tmp_path: Path) -> None:
    with hold(tmp_path / "data") as holder:
        try:
            with pytest.raises(DataFolderError, match=f"in use by another gridwarden .process {holder.pid}."):
                opened(tmp_path / "data").__enter__()
        finally:
            holder.kill()


def test_a_killed_gridwarden_leaves_the_folder_free(tmp_path: Path) -> None:
    with hold(tmp_path / "data") as holder:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with opened(tmp_path / "data") as folder:
        assert folder.node.is_dir()


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DataFolderError, match=r"cannot be written .* --data"):
        opened(tmp_path / "file" / "data").__enter__()


def test_the_secret_is_kept_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        first = folder.secret()
    with opened(tmp_path) as folder:
        assert folder.secret() == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
