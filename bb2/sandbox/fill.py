"""How do synthetic people get into the database?  Each whole or not at all, and as new whenever they are made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select

from bb2.fhir.load import made_rows, write_rows
from bb2.identity import closing, passkeys
from bb2.identity.builtin import DirectoryError, find_account, plain, published_hash
from bb2.identity.questions import QUESTIONS, published_answer_hash
from bb2.models import Account, Beneficiary, Record, Sandbox, SandboxPerson
from bb2.oauth.secrets import new_secret
from bb2.sandbox.identifiers import number_of, patient_id, secret_answer_of, username_of
from bb2.sandbox.people import AS_OF, SyntheticPerson, person
from bb2.sandbox.personas import NEWCOMERS, PERSONAS
from bb2.scopes import API_VERSIONS

DEFAULTS = {"seed": 1, "years": 4, "claims_per_year": 10}


class SandboxError(DirectoryError):
    """What cannot be done with a sandbox; the message says what to do instead."""


@dataclass(frozen=True)
class Recipe:
    """What people are made from; the same recipe gives the same people, to the byte."""

    seed: int
    years: int
    claims_per_year: int
    as_of: date

    def person(self, number: int) -> SyntheticPerson:
        return person(number, self.seed, self.years, self.claims_per_year)


@dataclass(frozen=True)
class Made:
    """A person with all that is to be written."""

    number: int
    day: date
    #: None: the person has yet to make an account
    account: dict | None
    patient: str
    given_name: str
    family_name: str
    #: of bb2.fhir.load.made_rows
    rows: list


def recipe(db) -> Recipe | None:
    """What the people of this database are made from; None where there are none yet."""
    kept = db.get(Sandbox, 1)
    # A generator that was made for a later day cannot go back.
    return kept and Recipe(kept.seed, kept.years, kept.claims_per_year, max(kept.as_of, AS_OF))


def ensure_recipe(db, wanted: Mapping[str, int | None]) -> Recipe:
    """The recipe, kept from now on.  `wanted`: `seed`, `years`, `claims_per_year`; None: whatever the sandbox has.

    Raises SandboxError for another one than that of the people who are there.
    """
    asked = {name: value for name, value in wanted.items() if value is not None}
    if (kept := recipe(db)) is None:
        db.add(Sandbox(id=1, as_of=AS_OF, **DEFAULTS | asked))
        db.flush()
        return recipe(db)
    for name, value in asked.items():
        there = getattr(kept, name)
        if value != there:
            words = name.replace("_", " ")
            raise SandboxError(
                f"the people of this sandbox were made with {words} {there}, and with {value} they would be others: "
                f"leave it out, or make another sandbox with another VAR and database"
            )
    return kept


def missing(db, of: Recipe, wanted: int) -> list[int]:
    """The numbers below `wanted` of the people who are not there; not where somebody else has the user name."""
    there = set(db.scalars(select(SandboxPerson.number).where(SandboxPerson.number < wanted)))
    if len(there) == wanted:
        return []
    accounts = dict(db.execute(select(Account.username, Beneficiary.patient).join(Account.beneficiary)).all())

    def free(number):
        patient = patient_id(of.seed, number)
        return accounts.get(plain(username_of(number)), patient) == patient

    return [number for number in range(wanted) if number not in there and free(number)]


def make(of: Recipe, number: int, resources, sensitivities, day: date | None = None) -> Made:
    """One person of the recipe, as of its day or a later one.

    `resources`: {type: FhirResource}, of what is served; `sensitivities` judge the records.
    """
    who, day = of.person(number), day or of.as_of
    rows = []
    for version, records in who.records(day).items():
        served = [one for one in records if one["resourceType"] in resources]
        rows += made_rows(resources, version, served, sensitivities)
    account = None if number in NEWCOMERS else _account(who)
    return Made(number, day, account, who.patient, who.given_name, who.family_name, rows)


def secret_question_of(number: int) -> str:
    """The key of the question to which `secret_answer_of` is the answer."""
    return list(QUESTIONS)[number % len(QUESTIONS)]


def _account(who: SyntheticPerson) -> dict:
    """The fields of an Account, all of them published."""
    return {
        "username": plain(who.username),
        "password_hash": published_hash(who.password),
        "secret_question": secret_question_of(who.number),
        "secret_answer_hash": published_answer_hash(secret_answer_of(who.number)),
    }


def write(db, people: Iterable[Made]) -> None:
    """Write people as new, in the caller's transaction; what was there of them is replaced.

    Their consents are not touched: `bb2.identity.closing` and `bb2.oauth.consents` end them.
    """
    people = list(people)
    beneficiaries = _known(db, [made.patient for made in people])
    _forget(db, beneficiaries.values())
    for made in people:
        if made.patient not in beneficiaries:
            beneficiaries[made.patient] = Beneficiary(sub=new_secret(), patient=made.patient)
        beneficiary = beneficiaries[made.patient]
        beneficiary.given_name, beneficiary.family_name = made.given_name, made.family_name
        beneficiary.closed_at = beneficiary.merged_into_id = beneficiary.email = None
    db.add_all(beneficiaries.values())
    for made in people:
        beneficiary = beneficiaries[made.patient]
        if made.account:
            db.add(Account(**made.account, beneficiary=beneficiary))
        db.add(SandboxPerson(number=made.number, beneficiary=beneficiary, day=made.day))
    db.flush()
    write_rows(db, [row for made in people for row in made.rows])
    _merge(db, {made.number for made in people})


def synthetic(db, username: str) -> SandboxPerson:
    """The person with this user name, as it is typed.  Raises SandboxError for anybody who is not made up.

    Who begins without an account is found by the user name of their number, and by whatever they chose.
    """
    account, number = find_account(db, username), number_of(username)
    whose = SandboxPerson.beneficiary_id == account.beneficiary_id if account else SandboxPerson.number == number
    found = db.scalars(select(SandboxPerson).where(whose)).one_or_none()
    if found is None:
        raise SandboxError(f"{username} is not one of this sandbox's synthetic people; `bb2 personas` lists some")
    return found


def reset_person(db, of: Recipe, whom: SandboxPerson, resources, sensitivities) -> int:
    """Make a person as new, in the caller's transaction; returns how many records there are now.

    Sessions, passkeys and consents end, these in the audit trail too, and a closed or merged record is open again; but
    for the persona whose record is made as a merged one.
    """
    beneficiary = whom.beneficiary
    if beneficiary.closed_at is None:
        closing.close(db, beneficiary.patient)  # ends whatever they have; `write` opens the record again
    passkeys.remove_all(db, beneficiary)
    beneficiary.passkey_declined_at = None
    made = make(of, whom.number, resources, sensitivities)
    write(db, [made])
    return len(made.rows)


def _known(db, patients: list[str]) -> dict[str, Beneficiary]:
    found = db.scalars(select(Beneficiary).where(Beneficiary.patient.in_(patients)))
    return {beneficiary.patient: beneficiary for beneficiary in found}


def _forget(db, people: Iterable[Beneficiary]) -> None:
    """Accounts and records of people who are about to be written anew, whatever user names they chose."""
    people = list(people)
    if not people:
        return
    types, ids = select(Record.resource_type).distinct(), [person.id for person in people]
    db.execute(delete(Account).where(Account.beneficiary_id.in_(ids)))
    db.execute(delete(SandboxPerson).where(SandboxPerson.beneficiary_id.in_(ids)))
    db.execute(
        delete(Record).where(
            Record.version.in_(API_VERSIONS),
            Record.resource_type.in_(types),
            Record.patient.in_([person.patient for person in people]),
        )
    )


def _merge(db, numbers: set[int]) -> None:
    """Merge the records of which a persona tells that they were, once both are there; not again where one is closed."""
    for persona in PERSONAS.values():
        if persona.merged_into is not None and numbers & {persona.number, persona.merged_into}:
            pair = [db.get(SandboxPerson, number) for number in (persona.number, persona.merged_into)]
            if all(pair) and not any(one.beneficiary.closed_at for one in pair):
                closing.merge(db, *(one.beneficiary.patient for one in pair))
