"""FHIR records: where they come from, whose they are, how they are searched and handed out."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bb2.fhir.index import last_updated
from bb2.scopes import API_VERSIONS

__all__ = ["FHIR_ID", "FhirError", "FhirRecord", "FhirSource", "MemorySource", "Page", "operation_outcome"]


FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  #: FHIR, "Data types": id


class FhirError(Exception):
    """A refusal, for the client, as an OperationOutcome (FHIR, "RESTful API").

    `code` is of http://hl7.org/fhir/issue-type: `invalid`, `not-found`, `forbidden`, `not-supported` …
    """

    def __init__(self, status, code, diagnostics):
        super().__init__(diagnostics)
        self.status, self.code, self.diagnostics = status, code, diagnostics


def operation_outcome(code, diagnostics, severity="error"):
    """An OperationOutcome with one issue, as a dict."""
    issue = {"severity": severity, "code": code, "diagnostics": diagnostics}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@dataclass(frozen=True)
class FhirRecord:
    """One record: its id, whose it is, and its JSON as it goes out."""

    id: str
    patient: str
    body: str
    last_updated: int  #: microseconds since 1970
    #: Which sensitivities it carries, as `bb2.sensitivities` has it; None: its source does not say.
    judgements: str | None = field(default=None, compare=False)
    whole: bool = True  #: False: something was taken out for this token, or a label put in

    @classmethod
    def of(cls, resource, record):
        """The FhirRecord of a resource as a dict.  `resource` is its FhirResource."""
        body = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
        return cls(record["id"], resource.patient_of(record), body, last_updated(record) or 0)


@dataclass(frozen=True)
class Page:
    """Some of the records that a search found, and how many it found in all."""

    total: int
    records: Sequence[FhirRecord]  #: by id, where the source follows cursors
    #: The positions of the first of them and after the last, among all; None: as the Query's `offset` and `count` say.
    span: tuple[int, int] | None = None

    @classmethod
    def of(cls, query, found):
        """The Page of a Query from every FhirRecord that it matches, in any order: for sources without a database."""
        records = sorted(found, key=lambda record: record.id)
        span = query.span([record.id for record in records])
        return cls(len(records), records[slice(*span)], span if query.count else None)


class FhirSource(Protocol):
    """Anything that finds FHIR records of one patient.

    What it returns is checked to be the patient's, and redacted, by the core, which also takes out what is withheld.
    """

    #: True: `search` leaves out, and does not count, what `query.withheld` hides.  Of another source the core reads
    #: everything that a search finds, where something is withheld, so that neither totals nor pages tell of it.
    withholds = False

    def read(self, version, resource, id, patient):
        """The FhirRecord of this API version, FhirResource and id, or None."""

    def search(self, query):
        """The Page for a `bb2.fhir.search.Query`.  One with an order by id follows cursors, and says `span`."""


class MemorySource:
    """Records in a list: for plugins with few of them, and for tests.

    `records` are dicts, served in every API version of their resource; or {version: dicts}.
    """

    withholds = True

    def __init__(self, records=()):
        self.records = records if isinstance(records, dict) else {v: list(records) for v in API_VERSIONS}

    def of_type(self, version, resource):
        return [r for r in self.records.get(version, ()) if r["resourceType"] == resource.type]

    def read(self, version, resource, id, patient):
        return next((FhirRecord.of(resource, r) for r in self.of_type(version, resource) if r["id"] == id), None)

    def search(self, query):
        found = [r for r in self.of_type(query.version, query.resource) if query.matches(r)]
        return Page.of(query, [FhirRecord.of(query.resource, r) for r in found])
