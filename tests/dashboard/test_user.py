"""Who may write: a person the provider names, the local user on loopback, nobody else."""

import time
from textwrap import dedent

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.parts.user import LASTS_S, People, is_loopback, person

NOW = time.time()
JANE = {"is_logged_in": True, "iat": NOW - 60, "email": "jane@x.example", "email_verified": True, "sub": "7"}


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (JANE, "jane@x.example"),
        (JANE | {"email_verified": "true"}, "jane@x.example"),
        (JANE | {"email_verified": False}, "sub:7"),
        (JANE | {"email_verified": "false"}, "sub:7"),
        (JANE | {"email_verified": None}, "sub:7"),
        ({name: value for name, value in JANE.items() if name != "email_verified"}, "sub:7"),
        (JANE | {"email_verified": False, "preferred_username": "jane"}, "sub:7 (jane)"),
        (JANE | {"email_verified": False, "preferred_username": "joe@x.example"}, "sub:7 (joe@x.example)"),
        (JANE | {"email": "sub:8@x.example"}, "sub:7"),
        (JANE | {"email": "a\nb\x1b[31m@x"}, "a\\nb\\x1b[31m@x"),
        (JANE | {"is_logged_in": False}, None),
        (JANE | {"iat": NOW - LASTS_S - 1}, None),
        (JANE | {"iat": None}, None),
        ({}, None),
    ],
)
def test_claims_name_a_person_who_logged_in_lately(claims, expected):
    assert person(claims, People(), NOW) == expected


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (("*@x.example",), "jane@x.example"),
        (("JANE@*",), "jane@x.example"),
        (("sub:7",), "jane@x.example"),
        (("*@y.example", "joe", "sub:8", "sub:*", "7"), None),
    ],
)
def test_only_the_people_who_are_listed_may_write(people, expected):
    assert person(JANE, People(people), NOW) == expected


UNVERIFIED = {"is_logged_in": True, "iat": NOW, "sub": "9"}


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "m@evil.example", "email_verified": False, "preferred_username": "jane@x.example"},
        {"email": "jane@x.example"},
        {"email": "jane@x.example", "email_verified": "false"},
        {"email": "jane@x.example", "email_verified": None},
        {"email": "jane@x.example", "email_verified": 1},
        {"preferred_username": "jane@x.example"},
        {"sub": "jane@x.example"},
        {"email": "sub:8", "email_verified": True},
    ],
)
def test_nothing_but_a_verified_address_passes_for_an_address_on_the_list(claims):
    assert person(UNVERIFIED | claims, People(("*@x.example", "sub:8")), NOW) is None


def test_a_provider_that_does_not_say_may_be_trusted_and_one_that_says_no_is_not():
    trusting = People(("*@x.example",), assume_email_verified=True)
    told = UNVERIFIED | {"email": "jane@x.example"}

    assert person(told, trusting, NOW) == "jane@x.example"
    assert person(told | {"email_verified": False}, trusting, NOW) is None
    assert person(told | {"email_verified": None}, trusting, NOW) is None


def test_an_id_on_the_list_opens_without_an_address():
    assert person(UNVERIFIED, People(("sub:9",)), NOW) == "sub:9"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 (asked about, not bound)
        ("::", False),
        ("", False),
        ("192.0.2.1", False),
        ("localhost.x.example", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(address, expected):
    assert is_loopback(address) == expected


def _asked() -> AppTest:
    script = """
        import os, streamlit as st
        from dashboard.parts.user import who
        from dashboard.state import introduce

        introduce(os.environ.get("KVMPERF_LOCAL_USER", ""))
        st.text(repr(who()))
    """
    return AppTest.from_string(dedent(script)).run()


def test_nobody_is_anonymous():
    assert _asked().text[0].value == "None"


def test_the_local_user_is_known_on_loopback(as_local_user):
    as_local_user("max")

    assert _asked().text[0].value == "'max'"


@pytest.mark.parametrize("address", ["192.0.2.1", "::", None])
def test_the_local_user_is_nobody_where_others_can_reach_the_server(as_local_user, address):
    as_local_user("max", address)

    assert _asked().text[0].value == "None"


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"Host": "kvmperf.x.example"}]
)
def test_the_local_user_is_nobody_behind_a_proxy(as_local_user, monkeypatch, headers):
    as_local_user("max")
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.headers", headers)

    assert _asked().text[0].value == "None"
