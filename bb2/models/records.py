"""FHIR records, and by what they are found."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bb2.models.base import Base, Code

#: The system of a Medicare number in an Identifier (HL7 Terminology, "Medicare Beneficiary Identifier").
MEDICARE_NUMBER = "http://hl7.org/fhir/sid/us-mbi"


class Record(Base):
    """A FHIR record as it was loaded: one row for each API version, resource type and id."""

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("version", "resource_type", "id", name="uq_record_version_resource_type_id"),
        # What a search walks: one person's records of one type, in the order of the pages, and what may be seen.  What
        # is counted, and not on the page, is in it whole, so that no other record is touched.
        Index(
            "ix_record_compartment",
            *("version", "resource_type", "patient", "id", "last_updated", "judgements"),
            postgresql_include=["number"],
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(Code)
    resource_type: Mapped[str] = mapped_column(Code)
    id: Mapped[str] = mapped_column(Code)
    patient: Mapped[str] = mapped_column(Code)
    last_updated: Mapped[int] = mapped_column(
        BigInteger
    )  #: meta.lastUpdated, or the time of loading: microseconds since 1970
    #: Which sensitivities it carries, as bb2.sensitivities has it; empty: nobody has judged.
    judgements: Mapped[str] = mapped_column(Code, server_default="")
    body: Mapped[str] = mapped_column(Text)  #: the JSON, without white space between its tokens


class RecordIndex(Base):
    """A value by which a record is found: what its plugin's search parameters point at."""

    __tablename__ = "record_index"
    __table_args__ = (
        Index("ix_record_index_value", "record_number", "param"),
        # Whose Medicare number is this?  Only people's own records have entries of that system.
        Index(
            "ix_record_index_medicare_number",
            "value",
            sqlite_where=text(f"system = '{MEDICARE_NUMBER}'"),
            postgresql_where=text(f"system = '{MEDICARE_NUMBER}'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    record_number: Mapped[int] = mapped_column(ForeignKey("record.number", ondelete="CASCADE"))
    param: Mapped[str] = mapped_column(Code)
    system: Mapped[str | None]  #: of a token
    value: Mapped[str | None]  #: of a token, in lower case
    low: Mapped[int | None] = mapped_column(BigInteger)  #: first microsecond of a date
    high: Mapped[int | None] = mapped_column(BigInteger)  #: the microsecond after its last


class RecordIndexing(Base):
    """By which declaration the records of a resource type are stored: bb2.fhir.reindex."""

    __tablename__ = "record_indexing"

    resource_type: Mapped[str] = mapped_column(Code, primary_key=True)
    declaration: Mapped[str] = mapped_column(String(64))
