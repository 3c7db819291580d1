"""What a developer's browser keeps of a trial with the test client."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from bb2.models.base import Base


class ClientTrial(Base):
    """One browser at the test client, whoever is signed in there."""

    __tablename__ = "client_trial"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of the cookie
    #: the tokens, and an app's secret, as a JWE whose key follows from the cookie too; None: nothing was begun yet
    sealed: Mapped[str | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
