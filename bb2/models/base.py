"""What every table shares: names of constraints, and types of columns."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import JSON, MetaData, String
from sqlalchemy.orm import DeclarativeBase

from bb2.clock import UtcDateTime

# Ids and codes compare and sort byte by byte on every database, so that pages keep their order.
Code = String().with_variant(String(collation="C"), "postgresql")


class Base(DeclarativeBase):
    # Names that Alembic can drop again (Alembic documentation, "The Importance of Naming Constraints").
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {list[str]: JSON, dict: JSON, datetime: UtcDateTime}
