"""The records of one patient, as one token may see them.  Every FHIR read passes here, whatever the source."""

from dataclasses import replace

import orjson

from bb2.fhir import FhirError, Page
from bb2.fhir.search import MOST_COUNT, IdFilter, Query
from bb2.fhir.sensitive import hidden, with_security


class Compartment:
    """One patient's records of one type and API version.

    `answers`: the beneficiary's, about what is sensitive (`bb2.fhir.sensitive.Answers`).
    `redact`: a function of a record's JSON, for a token without a demographic scope; None for another.
    """

    def __init__(self, source, version, resource, patient, answers, redact=None):
        self.source, self.version, self.resource, self.patient, self.redact = source, version, resource, patient, redact
        self.answers, self.withheld = answers, answers.withheld(resource)

    def read(self, id):
        """The FhirRecord; FhirError 404, in the same words, for what is unknown, another person's or withheld."""
        record = self.source.read(self.version, self.resource, id, self.patient)
        if record is None or record.id != id or not self._holds(record):
            raise FhirError(404, "not-found", f"There is no such {self.resource.type} of this person")
        return self._out(record)

    def search(self, query):
        """The Page for a Query, without whatever is not this patient's, or withheld."""
        if self.withheld and not getattr(self.source, "withholds", False):
            page = self._page_of_all(query)
        else:
            page = self.source.search(replace(query, withheld=self.withheld))
        return replace(page, records=[self._out(record) for record in page.records if self._holds(record)])

    def all(self):
        """Every record as a dict, by id: for a view that makes something else of few records."""
        found, offset, total = [], 0, 1
        while offset < total:
            query = Query(self.version, self.resource, self.patient, (), count=MOST_COUNT, offset=offset)
            page = self.search(query)
            found += page.records
            offset, total = offset + MOST_COUNT, page.total
        return [orjson.loads(record.body) for record in found]

    def with_ids(self, ids):
        """The FhirRecords among these ids that are this patient's, in the order of the ids; the others are left out."""
        found = {}
        for start in range(0, len(ids), MOST_COUNT):
            some = frozenset(ids[start : start + MOST_COUNT])
            query = Query(self.version, self.resource, self.patient, (IdFilter(some),), count=len(some))
            found.update({record.id: record for record in self.search(query).records})
        return [found[id] for id in ids if id in found]

    def _page_of_all(self, query):
        """The Page of a source that counts what is withheld: cut here from everything that it finds."""
        held, offset, total = [], 0, 1
        while offset < total:
            page = self.source.search(replace(query, count=MOST_COUNT, offset=offset, after="", before=""))
            held += [record for record in page.records if self._holds(record)]
            total = page.total if page.records else 0
            offset += MOST_COUNT
        return Page.of(query, held)

    def _holds(self, record):
        return record.patient == self.patient and not hidden(record, self.withheld)

    def _out(self, record):
        labels = self.answers.labels(record, self.resource, self.version)
        body = self.redact(record.body) if self.redact else record.body
        body = with_security(body, labels) if labels else body
        return replace(record, body=body, whole=False) if body != record.body else record
