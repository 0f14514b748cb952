import pytest
from sample_notices import OPENED, SILENT

from alerts.notices import settings
from alerts.notices.notice import Kind
from alerts.notices.settings import Choice, FileSink, MailSink, WebhookSink, load
from db.errors import UserError

MAIL = '[[sink]]\nname = "list"\nkind = "mail"\nserver = "mx.example.org"\nsender = "k@example.org"\nto = ["a@b.org"]\n'
WEB = '[[sink]]\nname = "chat"\nkind = "webhook"\nurl = "https://chat.example.org/hooks/secret-part"\n'
FILE = '[[sink]]\nname = "log"\nkind = "file"\npath = "-"\n'


def loaded(tmp_path, text, **environment):
    path = tmp_path / "notify.toml"
    path.write_text(text)
    return load(path, environment)


def test_a_file_with_all_kinds(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    more = (
        f'secret_file = "{tmp_path}/secret"\nwhen = "daily"\nonly = ["opened"]\nbenchmark = "dirty*"\ntimeout_s = 5\n'
    )
    text = f'dashboard = "https://perf.example.org/"\n{MAIL}user = "u"\npassword_env = "PW"\n{WEB}{more}{FILE}'

    found = loaded(tmp_path, text, PW="hunter2")

    mail, web, log = found.sinks
    assert found.dashboard == "https://perf.example.org"
    assert isinstance(mail, MailSink)
    assert (mail.port, mail.tls, mail.password, mail.choice) == (587, "starttls", "hunter2", Choice())
    assert isinstance(web, WebhookSink)
    assert (web.secret, web.timeout_s, web.choice) == ("s3cret", 5, Choice("daily", (Kind.OPENED,), "dirty*"))
    assert log == FileSink("log", Choice(), 30, "-")


def test_secrets_are_never_shown(tmp_path):
    found = loaded(tmp_path, f'{MAIL}user = "u"\npassword_env = "PW"\n{WEB}', PW="hunter2")

    assert "hunter2" not in repr(found)
    assert "secret-part" not in repr(found)
    assert found.sinks[1].shown == "https://chat.example.org"


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ("sink = 1", "sink = 1 is not a list", ""),
        ("sinks = []", "unknown key 'sinks'", "did you mean sink?"),
        ("x = [", "no TOML", ""),
        ('[[sink]]\nname = "a"\nkind = "pigeon"', "kind = 'pigeon'", "mail, webhook, file"),
        ('[[sink]]\nkind = "file"\npath = "-"', "sink 1: has no name", "name ="),
        (FILE.replace("path", "paht"), "unknown key 'paht'", "did you mean path?"),
        (FILE + FILE, "two sinks are named 'log'", ""),
        (FILE + 'when = "hourly"', "when has 'hourly'", "now, daily, weekly"),
        (FILE + 'only = ["open"]', "only has 'open'", "opened"),
        (FILE + "timeout_s = 0", "timeout_s = 0", ""),
        (FILE + 'timeout_s = "5"', "timeout_s = '5' is not a number", ""),
        (MAIL.replace("a@b.org", "nobody"), "'nobody' is no mail address", ""),
        (MAIL + 'tls = "ssl"', "tls has 'ssl'", "starttls"),
        (MAIL + 'password = "hunter2"', "password must not stand in this file", "password_env"),
        (MAIL + 'user = "u"', "a user needs a password", ""),
        (MAIL + 'user = "u"\npassword_env = "NOPE"', "the environment has no such variable", "export NOPE"),
        (MAIL + 'user = "u"\npassword_file = "/no/such"', "cannot be read", ""),
        (MAIL + 'user = "u"\npassword_env = "PW"\ntls = "none"', "in the open", "starttls"),
        (WEB.replace("https", "http"), "can be read on the way", "https"),
        (WEB.replace("url = ", "url_env = "), "the environment has no such variable", ""),
        (WEB.replace("chat.example.org", "[::1"), "has no url", ""),
        (WEB.replace("chat.example.org", "h:99999"), "has no url", ""),
        ('dashboard = "https://[::1"', "is no address", ""),
        (FILE.replace("-", "/tmp/\\u0000x"), "has a NUL in it", ""),
        (MAIL.replace("a@b.org", "a@b\\u0000.org"), "has a NUL in it", ""),
        (MAIL + "port = 99999", "port = 99999", "587"),
        (MAIL + 'ca_file = "/no/such"', "ca_file = '/no/such': No such file", "PEM"),
        (WEB + 'ca_file = "/no/such"', "ca_file = '/no/such': No such file", "PEM"),
        (WEB + 'ca_file = "/etc/passwd"', "ca_file = '/etc/passwd': no certificates in it", "PEM"),
        (WEB + 'secret = "x"', "secret must not stand in this file", "secret_file"),
        (WEB + "url = true", "no TOML", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, what, hint):
    with pytest.raises(UserError) as caught:
        loaded(tmp_path, text, PW="x")

    assert what in str(caught.value)
    assert hint in caught.value.hint
    assert str(caught.value).startswith(str(tmp_path / "notify.toml"))
    assert "\n" not in str(caught.value)


def test_no_file_is_told(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        load(tmp_path / "no.toml", {})


@pytest.mark.parametrize(
    ("choice", "takes"),
    [
        (Choice(), (True, True)),
        (Choice(only=(Kind.MISSING,)), (False, True)),
        (Choice(benchmark="dirty_log*"), (True, True)),  # what names no program is for everybody
        (Choice(benchmark="mmtest*"), (False, True)),
        (Choice(host="bm4"), (True, False)),
    ],
)
def test_sinks_choose(choice, takes):
    assert tuple(choice.takes(one) for one in (OPENED, SILENT)) == takes


def test_an_empty_file_tells_nobody(tmp_path):
    assert loaded(tmp_path, "") == settings.Settings()
