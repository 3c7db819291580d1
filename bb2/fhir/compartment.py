"""The records of one patient, as one token may see them.  Every FHIR read passes here, whatever the source."""

from dataclasses import replace

from bb2.fhir import FhirError
from bb2.fhir.search import MOST_COUNT, IdFilter, Query


class Compartment:
    """One patient's records of one type and API version.

    `redact`: a function of a record's JSON, for a token without a demographic scope; None for another.
    """

    def __init__(self, source, version, resource, patient, redact=None):
        self.source, self.version, self.resource, self.patient, self.redact = source, version, resource, patient, redact

    def read(self, id):
        """The FhirRecord; FhirError 404 for what is unknown and for what is another person's, in the same words."""
        record = self.source.read(self.version, self.resource, id, self.patient)
        if record is None or record.id != id or record.patient != self.patient:
            raise FhirError(404, "not-found", f"There is no such {self.resource.type} of this person")
        return self._out(record)

    def search(self, query):
        """The Page for a Query, without whatever is not this patient's."""
        page = self.source.search(query)
        return replace(page, records=[self._out(r) for r in page.records if r.patient == self.patient])

    def with_ids(self, ids):
        """The FhirRecords among these ids that are this patient's, in the order of the ids; the others are left out."""
        found = {}
        for start in range(0, len(ids), MOST_COUNT):
            some = frozenset(ids[start : start + MOST_COUNT])
            query = Query(self.version, self.resource, self.patient, (IdFilter(some),), count=len(some))
            found.update({record.id: record for record in self.search(query).records})
        return [found[id] for id in ids if id in found]

    def _out(self, record):
        body = self.redact(record.body) if self.redact else record.body
        return replace(record, body=body, whole=False) if body != record.body else record
