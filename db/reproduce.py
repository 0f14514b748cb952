"""What was typed to measure something: the command to run again."""

from sqlalchemy import Connection, func, select

from db.models import Capture, Run


def command_of(connection: Connection, revision_id: int, test_case_id: int) -> str:
    """The command line that most runs of a test case at a revision had; empty where none was captured."""
    wanted = (
        select(Capture.command)
        .join(Run, Run.capture_id == Capture.id)
        .where(Run.revision_id == revision_id, Run.test_case_id == test_case_id, Capture.command.is_not(None))
        .group_by(Capture.command)
        .order_by(func.count().desc(), Capture.command)
        .limit(1)
    )
    return connection.execute(wanted).scalar() or ""
