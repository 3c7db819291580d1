"""Which Patient record is a person's, by its id or by a number in it, and what is the person called?"""

import json

import orjson
from sqlalchemy import select

from bb2.models import Record
from bb2.scopes import API_VERSIONS


def types_of(resources):
    """The FhirResources, of {type: FhirResource}, whose records are the persons themselves."""
    return [resource for resource in resources.values() if resource.patient_element == "id"]


def own_record(sources, resources, versions, patient):
    """The person's own record (a dict), of the newest of the versions that has one; None where none has."""
    for version in reversed(versions):
        for resource in types_of(resources):
            if found := sources[resource.type].read(version, resource, patient, patient):
                return orjson.loads(found.body)
    return None


def holders(reader, resources, system, value):
    """The Patient.ids, a set, whose own records in the table `record` have this identifier, to the letter.

    The search index is by record, and not by value, so the records themselves are looked through.
    """
    types = [resource.type for resource in types_of(resources)]
    written = json.dumps({"value": value}, ensure_ascii=False, separators=(",", ":"))[1:-1]
    own = Record.version.in_(API_VERSIONS) & Record.resource_type.in_(types)  # as the index begins
    may_have = select(Record.patient, Record.body).where(own, Record.body.contains(written, autoescape=True))
    with reader.connect() as connection:
        return {patient for patient, body in connection.execute(may_have) if _has(orjson.loads(body), system, value)}


def _has(record, system, value):
    identifiers = record.get("identifier")
    identifiers = identifiers if isinstance(identifiers, list) else []
    return any(isinstance(i, dict) and (i.get("system"), i.get("value")) == (system, value) for i in identifiers)


def name_of(record):
    """(given name, family name) of a person's own record; "" for what it does not say."""
    names = record.get("name")
    name = names[0] if isinstance(names, list) and names and isinstance(names[0], dict) else {}
    given = name.get("given")
    given = given[0] if isinstance(given, list) and given else ""
    return _text(given), _text(name.get("family"))


def _text(value):
    return value if isinstance(value, str) else ""
