"""What is a claim, before either FHIR version writes it down?  Nothing in it says who the beneficiary is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from bb2.sandbox.codes import Code, Drug
from bb2.sandbox.dice import Dice
from bb2.sandbox.places import Neighbourhood, Provider


@dataclass(frozen=True)
class Amounts:
    """Money in cents.  What Medicare allows is what it pays and what the beneficiary owes, to the cent."""

    submitted: int = 0
    allowed: int = 0
    deductible: int = 0
    coinsurance: int = 0
    paid: int = 0
    #: of what is allowed for a drug, the part above the out-of-pocket threshold
    above: int = 0

    def __post_init__(self) -> None:
        if self.allowed != self.paid + self.deductible + self.coinsurance:
            raise ValueError(f"{self} does not add up")

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(
            self.submitted + other.submitted,
            self.allowed + other.allowed,
            self.deductible + other.deductible,
            self.coinsurance + other.coinsurance,
            self.paid + other.paid,
            self.above + other.above,
        )

    @property
    def owed(self) -> int:
        """The beneficiary's part."""
        return self.deductible + self.coinsurance


class Line(NamedTuple):
    #: HCPCS, CPT, HIPPS or NDC; None for a charge that no such code describes (a room, supplies)
    service: Code | None
    day: date
    charge: int
    #: in cents; 0 on a line of a stay that is paid as a whole
    allowed: int
    quantity: int = 1
    shared: bool = True
    revenue: Code | None = None
    place: Code | None = None
    type: Code | None = None
    #: the sequence of the diagnosis it is for
    diagnosis: int = 1
    modifiers: tuple[str, ...] = ()
    #: in tenths of g/dL; None where it was not measured
    hemoglobin: int | None = None
    #: set by `costs.settle`
    amounts: Amounts = Amounts()


@dataclass(frozen=True)
class Stay:
    admitted: date
    #: MS-DRG; None where the stay is not paid by one
    drg: Code | None = None
    #: Medicare's price for the whole stay in cents; None where the lines are paid
    allowed: int | None = None
    emergency: bool = False
    #: patient discharge status, a key of facts.DISCHARGES
    discharge: str = "01"
    #: the hospital stay that entitles to skilled nursing; None for other stays
    qualifying: tuple[date, date] | None = None
    #: days of this stay that the claim is for
    days: int = 0
    #: of them, those on which the beneficiary owes coinsurance; set by `costs.settle`
    coinsurance_days: int = 0
    #: which hospice benefit period this is; None for other stays
    hospice_period: int | None = None
    #: home health visits
    visits: int = 0


@dataclass(frozen=True)
class Fill:
    drug: Drug
    days: int
    #: 0 for the first fill of a prescription
    refill: int


@dataclass(frozen=True)
class Filing:
    """What is known of a claim once it was sent in: whose it is, its number, when it was processed."""

    patient: str
    number: int
    processed: date
    updated: datetime
    contract: str
    plan: str
    #: the number of the claim that this one took the place of; None for most
    replaces: int | None = None

    @property
    def full(self) -> bool:
        """Whether version 2 shows what CARIN would have shown and CMS leaves out: every eighth claim does."""
        return self.number % 8 == 0


@dataclass(frozen=True)
class Claim:
    kind: str
    start: date
    end: date
    #: who bills
    provider: Provider
    diagnoses: tuple[Code, ...]
    lines: tuple[Line, ...]
    #: (role, provider), the one who did the work last
    care_team: tuple[tuple[str, Provider], ...] = ()
    procedures: tuple[tuple[Code, date], ...] = ()
    referring: Provider | None = None
    stay: Stay | None = None
    fill: Fill | None = None
    amounts: Amounts = Amounts()
    filing: Filing | None = field(default=None)

    @property
    def id(self) -> str:
        return f"{self.kind}-{self.filing.number}"


@dataclass(frozen=True)
class Life:
    """What an illness may know of the person: days and providers, never the name, the MBI or the address."""

    since: date
    #: the day from which an illness reckons: that on which a sandbox begins, or that of death
    now: date
    #: the last day that is told: time can go on in a sandbox
    until: date
    near: Neighbourhood

    def early(self, dice: Dice) -> date:
        """A day in the first half: when a long illness is found, or seen to for the first time here."""
        return self.since + timedelta(days=dice.between(0, (self.now - self.since).days // 2))

    def midway(self, dice: Dice) -> date:
        """A day that leaves room before and after: where something sudden happens."""
        span = (self.now - self.since).days
        return self.since + timedelta(days=dice.between(span // 4, span * 2 // 3))


#: Tells the claims that one illness causes in one life, in any order, also past the life's end.
Illness = Callable[[Life, Dice], Iterator[Claim]]
