"""An escaped key or string hides nothing from the redaction."""

import json

import pytest
from fhir_records import EVERYTHING

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


@pytest.mark.parametrize(("element", "said"), ESCAPED)
def test_escapes_hide_nothing(make_server, tmp_path, element, said):
    """FHIR is JSON, and every character of a key or a string may be escaped (RFC 8259, 7)."""
    text = '{"resourceType":"Coverage","id":"c","beneficiary":{"reference":"Patient/-1001"},%s}' % (element % said)
    server = make_server()
    path = tmp_path / "coverage.json"
    path.write_text(text)
    with server.db() as db:
        load_file(db, server.scopes.resources, path, version="v2")
    plain = json.loads(f'"{said}"')
    assert json.loads(server.fhir("Coverage/c", server.grant(EVERYTHING)).text) == json.loads(text)
    out = server.fhir("Coverage/c", server.grant(EVERYTHING, share_demographic=False))
    assert plain not in json.dumps(out.json, ensure_ascii=False)
