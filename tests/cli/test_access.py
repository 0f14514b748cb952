import secrets

import pytest

from cli import access
from cli.access import Access
from db.errors import UserError

WHOLE = {
    "redirect_uri": "http://127.0.0.1:8501/oauth2callback",
    "cookie_secret": secrets.token_hex(),
    "client_id": "kvmperf",
    "client_secret": "s",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}


def _file(tmp_path, told, section="auth"):
    path = tmp_path / "login.toml"
    path.write_text(f"[{section}]\n" + "".join(f'{name} = "{value}"\n' for name, value in told.items()))
    return path


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_a_local_user_is_taken_on_loopback(address):
    Access("max").check(address)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "bench.x.example", ""])  # noqa: S104
def test_a_local_user_is_refused_elsewhere(address):
    with pytest.raises(UserError, match="whoever reaches it would write as max") as raised:
        Access("max").check(address)

    assert "--login FILE" in raised.value.hint


def test_the_command_refuses_before_it_listens(make_kvmperf, tmp_path):
    kvmperf = make_kvmperf(tmp_path / "x.db")

    done = kvmperf("dashboard", "--local-user", "max", "--address", "192.0.2.1", code=1)

    assert done.stdout == ""
    assert done.stderr.startswith("kvmperf: --local-user on 192.0.2.1")


@pytest.mark.parametrize(("mode", "is_told"), [(0o644, True), (0o640, False), (0o600, False)])
def test_a_log_in_that_everybody_can_read_is_told(tmp_path, capsys, mode, is_told):
    path = _file(tmp_path, WHOLE)
    path.chmod(mode)

    Access(login=path).check("127.0.0.1")
    Access(login=path).check("127.0.0.1")

    told = f"warning: --login {path} can be read by every user of this host: chmod o= {path}\n"
    assert capsys.readouterr().err == told * is_told


def test_a_complete_log_in_is_taken_and_handed_on(tmp_path):
    chosen = Access(login=_file(tmp_path, WHOLE))

    chosen.check("0.0.0.0")  # noqa: S104 (checked, not bound)

    assert chosen.options() == {"secrets.files": str(tmp_path / "login.toml")}


@pytest.mark.parametrize("name", WHOLE)
def test_a_log_in_with_a_hole_names_it(tmp_path, name):
    with pytest.raises(UserError, match=rf"\[auth\] lacks {name}"):
        Access(login=_file(tmp_path, {**WHOLE, name: ""})).check("127.0.0.1")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cookie_secret": "short"}, "shorter than"),
        ({"redirect_uri": "http://127.0.0.1/"}, "must end in /oauth2callback"),
    ],
)
def test_a_weak_or_wrong_log_in_is_refused(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        Access(login=_file(tmp_path, WHOLE | change)).check("127.0.0.1")


@pytest.mark.parametrize(
    "told", ["peopel = ['a@b']", "people = []", "people = [7]", "people = ''", "assume_email_verified = 'yes'"]
)
def test_a_list_of_people_that_nobody_would_read_is_refused(tmp_path, told):
    path = _file(tmp_path, WHOLE)
    path.write_text(f"{path.read_text()}[kvmperf]\n{told}\n")

    with pytest.raises(UserError, match=r"\[kvmperf\]"):
        Access(login=path).check("127.0.0.1")


def test_people_and_trust_in_the_provider_are_taken(tmp_path):
    path = _file(tmp_path, WHOLE)
    path.write_text(f"{path.read_text()}[kvmperf]\npeople = ['*@b', 'sub:7']\nassume_email_verified = true\n")

    Access(login=path).check("127.0.0.1")


def test_a_file_without_the_section_and_no_file_at_all_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no \[auth\] section"):
        Access(login=_file(tmp_path, WHOLE, "other")).check("127.0.0.1")
    with pytest.raises(UserError, match="No such file"):
        Access(login=tmp_path / "nothing.toml").check("127.0.0.1")


def test_both_ways_at_once_are_refused(tmp_path):
    with pytest.raises(UserError, match="exclude each other"):
        Access("max", _file(tmp_path, WHOLE)).check("127.0.0.1")


def test_without_authlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(access.importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(UserError) as raised:
        Access(login=_file(tmp_path, WHOLE)).check("127.0.0.1")

    assert raised.value.hint == "pip install 'kvmperf[login]'"


def test_a_name_in_the_environment_makes_no_local_user(monkeypatch):
    monkeypatch.setenv("KVMPERF_LOCAL_USER", "inherited")

    assert "KVMPERF_LOCAL_USER" not in Access().environment()
    assert Access("max").environment()["KVMPERF_LOCAL_USER"] == "max"
