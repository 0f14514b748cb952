import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db import engine as engines
from db import tokens
from db.errors import UnresolvedNameError
from db.tokens import DeniedError
from db.words import Scope


@pytest.fixture
def connection(database):
    engine = engines.connect(database)
    with engines.writing(engine) as found:
        yield found
    engine.dispose()


def test_the_secret_is_nowhere_in_the_database(connection):
    token = tokens.create(connection, "bench1", {Scope.UPLOAD})

    kept = str(connection.execute(text("SELECT * FROM token")).all())
    assert token.split("_", 2)[2] not in kept
    assert hashlib.sha256(token.encode()).hexdigest() in kept
    assert len(token.split("_", 2)[2]) >= 43


def test_a_token_does_what_it_was_made_for(connection):
    token = tokens.create(connection, "bench1", {Scope.UPLOAD, Scope.READ})

    assert tokens.check(connection, token, Scope.READ).scopes == ("read", "upload")
    with pytest.raises(DeniedError) as caught:
        tokens.check(connection, token, Scope.TRIAGE)
    assert caught.value.is_known


@pytest.mark.parametrize("text", ["", "x", "kvmperf", "kvmperf__", "kvmperf_a_b", "kvmperf_\ud800_x", "a_b_c_d"])
def test_any_other_text_is_denied(connection, text):
    tokens.create(connection, "bench1", {Scope.UPLOAD})

    with pytest.raises(DeniedError) as caught:
        tokens.check(connection, text, Scope.UPLOAD)
    assert not caught.value.is_known


def test_a_revoked_or_expired_token_is_denied(connection):
    revoked = tokens.create(connection, "one", {Scope.UPLOAD})
    expired = tokens.create(connection, "two", {Scope.UPLOAD}, datetime.now(UTC) - timedelta(days=1))
    tokens.revoke(connection, "one")

    for token, word in ((revoked, "revoked"), (expired, "expired")):
        with pytest.raises(DeniedError, match=word):
            tokens.check(connection, token, Scope.UPLOAD)


def test_a_name_must_mean_one_active_token(connection):
    for _ in range(2):
        tokens.create(connection, "twice", {Scope.UPLOAD})
    prefixes = [one.prefix for one in tokens.listed(connection)]

    with pytest.raises(UnresolvedNameError, match="means 2 tokens") as caught:
        tokens.revoke(connection, "twice")
    assert all(prefix in caught.value.hint for prefix in prefixes)
    with pytest.raises(UnresolvedNameError, match="no active token"):
        tokens.revoke(connection, "never")
    tokens.revoke(connection, prefixes[0])
    assert tokens.revoke(connection, "twice").prefix == prefixes[1]


def test_making_and_revoking_is_written_down(connection):
    prefix = tokens.create(connection, "bench1", {Scope.UPLOAD}, actor="cli:alice").split("_")[1]
    tokens.revoke(connection, "bench1", actor="cli:bob")
    tokens.revoke(connection, prefix, actor="cli:bob")

    trail = connection.execute(text("SELECT actor, action, subject FROM audit ORDER BY id")).all()
    assert trail == [("cli:alice", "token create", prefix), ("cli:bob", "token revoke", prefix)]
