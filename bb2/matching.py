"""Which beneficiary is the person whom the OpenID Connect provider names?  One claim says it, or nothing does."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bb2.fhir import FHIR_ID
from bb2.fhir.patients import holders, name_of, own_record, types_of
from bb2.fhir.store import SqlStore
from bb2.identity.builtin import ensure_beneficiary
from bb2.identity.cards import medicare_number, patients_with
from bb2.models import MEDICARE_NUMBER, Beneficiary
from bb2.settings import SettingError

LONGEST = 256  # characters


class NoMatchError(Exception):
    """`reason`: `nobody`, where the claim names no patient of ours; `several`, where it names more than one."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Matching:
    """Finds beneficiaries as the settings say.  `sources` are {resource type: FhirSource}."""

    def __init__(self, settings, resources, sources, reader):
        self.claim, self.system = settings.oidc_claim, settings.oidc_identifier_system
        self.versions = settings.record_versions
        self.resources, self.sources, self.reader = resources, sources, reader
        own = [sources[resource.type] for resource in types_of(resources)]
        if self.system and not (own and all(isinstance(source, SqlStore) for source in own)):
            raise SettingError(
                "bb2.oidc_identifier_system needs the plugin of Patient records, and them in the database"
            )

    def person(self, db, claims):
        """The Beneficiary whom the provider's claims name, made if need be; NoMatchError, or FhirError.

        The records are asked with no transaction open: they may be in another server.
        """
        patient = self._patient(db, _text(claims.get(self.claim)))
        if known := _beneficiary(db, patient):
            return known
        db.commit()
        record = own_record(self.sources, self.resources, self.versions, patient)
        if record is None:
            raise NoMatchError("nobody")
        try:
            with db.begin_nested():
                return ensure_beneficiary(db, patient, *name_of(record))
        except IntegrityError:  # another tab was quicker
            return _beneficiary(db, patient)

    def _patient(self, db, value):
        if self.system:
            found = self._holders(db, value) if value else set()
            # A record that was merged with another of them is that person's too.
            merged = select(Beneficiary.patient).where(
                Beneficiary.patient.in_(found), Beneficiary.merged_into_id.is_not(None)
            )
            found = found - {*db.scalars(merged)} or found
        else:
            found = {value} if FHIR_ID.fullmatch(value) else set()
        if len(found) != 1:
            raise NoMatchError("several" if found else "nobody")
        return found.pop()

    def _holders(self, db, value):
        """The Patient.ids of those who have this number; of Medicare's, there is an index, and ways to write them."""
        if self.system == MEDICARE_NUMBER:
            number = medicare_number(value)
            return {*patients_with(db, number)} if number else set()
        db.commit()
        return holders(self.reader, self.resources, self.system, value)


def _beneficiary(db, patient):
    return db.scalars(select(Beneficiary).where(Beneficiary.patient == patient)).one_or_none()


def _text(value):
    """A claim as the text that it is in a record; "" for what can be none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value.isprintable() and len(value) <= LONGEST else ""
