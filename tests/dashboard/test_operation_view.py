from datetime import UTC, datetime, timedelta

from db import outbox, tokens
from db.engine import connect, writing
from db.outbox import NewMessage
from db.words import Scope

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _table(app, column):
    return next(table.value for table in app.dataframe if column in table.value)


def test_what_is_stored_and_how_large_it_is(open_page, databases, words):
    app = open_page(databases.sample, "operation")

    assert not app.exception
    assert "4 hosts" in words(app)
    assert "the newest." in words(app)
    assert _table(app, "outputs")["outputs"].sum() == 124


def test_the_quarantine_says_why_and_shows_the_text(open_page, databases):
    app = open_page(databases.sample, "operation")
    assert _table(app, "reason")["reason"].tolist() == ["no parser <b>recognises</b> it"]
    capture = "124"

    app = open_page(databases.sample, "operation", capture=capture)

    assert not app.exception
    shown = "".join(element.proto.body for element in app.get("html"))
    assert "&lt;b&gt;no&lt;/b&gt; parser **reads** this" in shown
    assert "&lt;script&gt;" in shown


def test_tokens_are_names_without_secrets(open_page, tmp_path, words, unfold):
    url = f"sqlite:///{tmp_path}/tokens.db"
    with writing(connect(url, create=True)) as connection:
        secret = tokens.create(connection, "bench <b>rack</b>", [Scope.UPLOAD], actor="root")

    app = unfold(open_page(url, "operation"), "acts")

    assert not app.exception
    listed = _table(app, "may")
    assert listed[["name", "may", "state"]].to_numpy().tolist() == [["bench <b>rack</b>", "upload", "active"]]
    assert secret.split("_", 2)[2] not in words(app)
    assert "token create" in words(app)


def test_messages_that_did_not_arrive_are_listed(open_page, words, tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'o.db'}", create=True)
    with writing(engine) as connection:
        outbox.hand_over(connection, (), [NewMessage("opened:1:1 to list", "list", "opened", None, "{}", "a@b")], NOW)
        row = outbox.claim(connection, ["list"], NOW, timedelta(minutes=1))
        outbox.bury(connection, row, "550 no such user")

    app = open_page(f"sqlite:///{tmp_path / 'o.db'}", "operation")

    assert not app.exception
    assert "0 sent, 0 waiting, 1 given up" in words(app)
    assert "550 no such user" in words(app)
