"""What every table builds on: the declarative base, the types of keys and documents, checks of vocabularies."""

from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

Document = JSON()  # not JSONB, which reorders keys and rewrites numbers: both engines give back what was stored
Key = BigInteger().with_variant(Integer(), "sqlite")  # SQLite gives row ids to INTEGER keys only


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """The check that a column holds a word of a vocabulary."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can change it on both engines."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
