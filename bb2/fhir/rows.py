"""What does the database keep of a record?  All of it follows from the record's JSON and from its plugin's words."""

from hashlib import sha256

from bb2.fhir.index import entries

#: Raised whenever the same declaration gives other rows than before: what is stored is then made anew.
EDITION = 2


class BadRecord(Exception):
    """What is wrong with a record."""


def row(resource, version, record, body):
    """(columns of `record`, Entries of `record_index`) of a record (a dict, and its JSON), or BadRecord.

    Without the time of its last change, which does not depend on the plugin, and the judgements of sensitivities, which
    `bb2.fhir.judge` makes anew.  Whatever else is to be known of a record without reading it belongs here, and what it
    depends on into `declaration`.
    """
    patient = resource.patient_of(record)
    if not patient:
        raise BadRecord(f"no patient: {resource.patient_element} is not a reference to Patient/…")
    columns = {
        "version": version,
        "resource_type": resource.type,
        "id": record["id"],
        "patient": patient,
        "body": body,
    }
    return columns, entries(resource, record)


def declaration(resource):
    """A fingerprint (text) of all that a record's row depends on beside the record."""
    params = sorted((param.name, param.type, param.path) for param in resource.search_params)
    return sha256(repr((EDITION, resource.patient_element, params)).encode()).hexdigest()
