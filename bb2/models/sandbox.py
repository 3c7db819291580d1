"""The synthetic people of a sandbox."""

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bb2.models.base import Base
from bb2.models.people import Beneficiary


class Sandbox(Base):
    """What the synthetic people are made from: one row, where there are any."""

    __tablename__ = "sandbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    seed: Mapped[int]
    years: Mapped[int]  #: of claims
    claims_per_year: Mapped[int]  #: of one person, about
    as_of: Mapped[date]  #: the day as of which a person is made at first


class SandboxPerson(Base):
    """A beneficiary who is made up, and can be made anew from the seed and this number."""

    __tablename__ = "sandbox_person"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), unique=True)
    day: Mapped[date]  #: up to which the person's claims are here

    beneficiary: Mapped[Beneficiary] = relationship()
