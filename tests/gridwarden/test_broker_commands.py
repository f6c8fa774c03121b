"""`gridwarden broker`: settings a real Mosquitto takes, and ending a lost phone's access."""

import json
import ssl
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dispatch.store.store import Store
from dispatch.testing import WANG, fill_small_district
from gridwarden.cli import app
from gridwarden.data_folder import DataFolder
from models.clock import SystemClock


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    store = Store.open(DataFolder(folder).database_url, clock=SystemClock())
    fill_small_district(store)
    store.close()
    return folder


def broker(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["broker", *map(str, arguments)])


def line(result: Result) -> dict[str, object]:
    return json.loads(result.stdout.splitlines()[-1])


class TestSetup:
    @pytest.fixture
    def made(self, tmp_path: Path, data: Path) -> Path:
        folder = tmp_path / "broker"
        result = broker("setup", folder, "--host", "mqtt.lvdong.example", "--plugin", "/plugin.so", "--data", data)
        assert result.exit_code == 0, result.output
        assert "--broker mqtts://mqtt.lvdong.example:8883" in result.stdout
        return folder

    def test_the_certificate_is_for_the_brokers_name_and_its_key_is_private(self, made: Path) -> None:
        trusted = ssl.create_default_context(cafile=made / "ca.crt")
        assert trusted.get_ca_certs()[0]["subject"][0][0] == ("commonName", "gridwarden broker authority")
        assert (made / "server.key").stat().st_mode & 0o077 == 0

    def test_only_the_dispatcher_is_in_it_and_no_password_in_clear(self, made: Path, data: Path) -> None:
        state = made / "dynamic-security.json"
        assert [one["username"] for one in json.loads(state.read_text())["clients"]] == ["dispatch"]
        assert state.stat().st_mode & 0o077 == 0
        assert DataFolder(data).secret().hex() not in state.read_text()

    def test_identities_that_are_there_are_not_overwritten(self, made: Path, data: Path) -> None:
        before = (made / "dynamic-security.json").read_bytes()
        again = broker("setup", made, "--host", "mqtt.lvdong.example", "--plugin", "/plugin.so", "--data", data)
        assert again.exit_code != 0
        assert "there already" in str(again.exception)
        assert (made / "dynamic-security.json").read_bytes() == before

    def test_half_a_certificate_is_refused_with_what_is_missing(self, tmp_path: Path, data: Path) -> None:
        result = broker("setup", tmp_path / "b", "--host", "h", "--cert", tmp_path / "c.pem", "--data", data)
        assert "--cert, --key and --ca belong together" in str(result.exception)


class TestAccess:
    def test_a_lost_phone_is_renewed_by_its_persons_id(self, data: Path) -> None:
        assert line(broker("renew", WANG, "--data", data, "--json"))["generation"] == 1
        assert line(broker("renew", f"worker:{WANG}", "--data", data, "--json"))["generation"] == 2

    def test_revoked_is_shown_and_renewing_gives_it_back(self, data: Path) -> None:
        broker("revoke", WANG, "--data", data)
        assert "revoked 已停用" in broker("list", "--data", data).stdout
        broker("renew", WANG, "--data", data)
        assert "revoked 已停用" not in broker("list", "--data", data).stdout

    def test_somebody_unknown_is_refused_with_where_to_look(self, data: Path) -> None:
        result = broker("revoke", "nobody", "--data", data)
        assert "`gridwarden broker list` shows all" in str(result.exception)

    def test_a_folder_without_a_record_is_said(self, tmp_path: Path) -> None:
        assert "holds no record" in str(broker("list", "--data", tmp_path).exception)
