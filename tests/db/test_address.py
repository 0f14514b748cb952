"""No password of a database reaches a message, however wrong the address is."""

import pytest

from db import engine as engines
from db.address import shown, web
from db.errors import DatabaseError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:SECRET@h/x", "postgresql://u:***@h/x"),
        ("postgres://u:SEC@RET@h:port/x", "postgres://u:***@h:port/x"),
        ("postgresql://u:SEC/RET?@h/x", "postgresql://u:***@h/x"),
        ("postgresql://u@x:SECRET@h/x", "postgresql://u@x:***@h/x"),
        ("postgresql://:SECRET@h/x", "postgresql://:***@h/x"),
        ("postgresql://u@h/x", "postgresql://u@h/x"),
        ("postgresql://h/x?user=u&password=SEC@RET", "postgresql://h/x?user=u&password=***"),
        (
            "postgresql://h/x?PassWord=SECRET&sslpassword=SECRET&a=b",
            "postgresql://h/x?PassWord=***&sslpassword=***&a=b",
        ),
        ("sqlite:////srv/a:b@c/x.db", "sqlite:////srv/a:b@c/x.db"),
    ],
)
def test_an_address_is_shown_without_its_password(url, expected):
    assert shown(url) == expected


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("postgres://u:SECRET@h/x", "it begins with postgresql://"),
        ("postgresql://u:SECRET@h:port/x", "for example"),
        ("postgresql://u:SEC@SECRET@h:port/x", "%40"),
        ("postgresql://u:SEC@SECRET@h/x", "%40"),
        ("postgresql://u:SECRET@[::1/x", "for example"),
        ("postgresql+foo://u:SECRET@h/x", "for example"),
        ("mysql://u:SECRET@h/x", "for example"),
        ("://u:SECRET@h/x", "for example"),
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url, hint):
    with pytest.raises(DatabaseError, match="is no database address") as caught:
        engines.open_any(url)

    assert "SECRET" not in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "url", ["postgresql://u:SECRET@127.0.0.1:1/x", "postgresql://127.0.0.1:1/x?user=u&password=SECRET"]
)
def test_a_server_that_does_not_answer_is_named_without_the_password(url):
    with pytest.raises(DatabaseError, match="connection failed") as caught:
        engines.connect(url)

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://h", "http://127.0.0.1:8765/a?b=c#d", "https://[::1]:9/", "https://u:p@h/ä"])
def test_an_address_of_the_web_has_a_host(url):
    found = web(url)

    assert found is not None
    assert found.hostname


@pytest.mark.parametrize(
    "url",
    [
        "", "h", "ftp:foo", "ftp://h", "https://", "https:///x", "https://[::1", "https://[bad", "https://h:99999/",
        "https://h:x/", "https://h:0/", "https://a..b/", f"https://{'a' * 64}/", "https://h/\n", "https://h/\0",
        "https://h /", "https://☃.example/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_nothing_can_be_sent_to_is_no_address_of_the_web(url):
    assert web(url) is None
