"""An escaped key or string hides nothing from the redaction."""

import json

import pytest
from fhir_records import EVERYTHING, grant_to_another_app, server_with

from bb2.fhir.load import load_file

pytestmark = pytest.mark.either_database

WHO = "this says who the person is"

ESCAPED = [
    (r'"subscriber\u0049d":"%s"', WHO),
    (r'"\u0073ubscriberId":"%s"', WHO),
    (r'"_subscriber\u0049d":{"id":"%s"}', WHO),
    (r'"t\u0065xt":{"status":"generated","div":"%s"}', WHO),
    (r'"identifier":[{"system":"http:\/\/hl7.org\/fhir\/sid\/us-\u006dbi","value":"%s"}]', WHO),
    (r'"extension":[{"url":"http:\/\/e.org\/us-core-r\u0061ce","valueString":"%s"}]', WHO),
    (r'"contained":[{"resource\u0054ype":"P\u0061tient","id":"%s"}]', WHO),
    (r'"payor":[{"reference":"P\u0061tient\/1","disp\u006cay":"%s"}]', WHO),
    (r'"note":"%s"', r"1EG4\u0054E5MK73"),
    (r'"note":"%s"', r"\u0031EG4-TE5-MK7\u0033"),
]
COVERAGE = '{"resourceType":"Coverage","id":"%s","beneficiary":{"reference":"Patient/-1001"},%s}'
#: {id: (the record's text, what it must not say)}
RECORDS = {f"c-{n}": (COVERAGE % (f"c-{n}", element % said), said) for n, (element, said) in enumerate(ESCAPED)}


@pytest.fixture(scope="module")
def served(shared_engine, tmp_path_factory):
    """A server with all of them, a token that shares and one that does not."""
    server = server_with(shared_engine, [])
    path = tmp_path_factory.mktemp("escaped") / "coverage.ndjson"
    path.write_text("\n".join(text for text, _said in RECORDS.values()))
    with server.db() as db:
        load_file(db, server.scopes.resources, path, version="v2")
    return server, server.grant(EVERYTHING), grant_to_another_app(server, EVERYTHING, share_demographic=False)


@pytest.mark.parametrize("id", RECORDS)
def test_escapes_hide_nothing(served, id):
    """FHIR is JSON, and every character of a key or a string may be escaped (RFC 8259, 7)."""
    (server, sharing, declining), (text, said) = served, RECORDS[id]
    plain = json.loads(f'"{said}"')
    assert json.loads(server.fhir(f"Coverage/{id}", sharing).text) == json.loads(text)
    out = server.fhir(f"Coverage/{id}", declining)
    assert plain not in json.dumps(out.json, ensure_ascii=False)
