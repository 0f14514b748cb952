from db import tokens
from db.engine import connect, writing
from db.words import Scope


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


def test_tokens_are_names_without_secrets(open_page, tmp_path, words):
    url = f"sqlite:///{tmp_path}/tokens.db"
    with writing(connect(url, create=True)) as connection:
        secret = tokens.create(connection, "bench <b>rack</b>", [Scope.UPLOAD], actor="root")

    app = open_page(url, "operation")

    assert not app.exception
    listed = _table(app, "may")
    assert listed[["name", "may", "state"]].to_numpy().tolist() == [["bench <b>rack</b>", "upload", "active"]]
    assert secret.split("_")[2] not in words(app)
    assert "token create" in words(app)
