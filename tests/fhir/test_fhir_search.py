"""Which records does each search parameter find?  In both versions, on both databases, and in another server."""

from urllib.parse import quote

import pytest
from fhir_records import (
    CLAIM_ID,
    CLAIM_TYPE,
    EOB_TYPE,
    EVERYTHING,
    MBI,
    VERSIONS,
    ask,
    assert_outcome,
    claim,
    coverage,
    grant_to_another_app,
    ids,
    link,
    person,
    server_with,
)

from bb2.testing import ALICE, BOB

pytestmark = pytest.mark.either_version

#: id -> (last day of service, meta.lastUpdated)
CLAIMS = {
    "carrier-1": ("2023-12-31", "2024-01-01T00:00:00.000Z"),
    "carrier-2": ("2024-02-29", "2024-01-01T23:59:59.999Z"),
    "dme-3": ("2024-03-01", "2024-01-02T00:00:00.000Z"),
    "hha-4": ("2024-06", "2024-02-01T22:30:15.250-05:00"),
    "hospice-5": ("2024-06-30", "2024-02-29T12:00:00.000Z"),
    "inpatient-6": ("2024-12-31", "2024-12-31T23:59:59.999Z"),
    "outpatient-7": ("2025", "2025-01-01T00:00:00.000Z"),
    "pde-8": ("2025-01-01", "2025-01-01T00:00:00.001Z"),
    "snf-9": ("2026-01-01", "2026-01-01T00:00:00.000Z"),
}
ALL = sorted(CLAIMS)
OTHERS = ["carrier-77", "pde-78"]


def records(version):
    mine = [claim(version, id, end=end, updated=updated) for id, (end, updated) in CLAIMS.items()]
    others = [claim(version, id, BOB) for id in OTHERS]
    people = [person(), person(BOB, identifier=[{"system": MBI, "value": "2EG4TE5MK74"}])]
    return people + [coverage(part, who) for part in "ab" for who in (ALICE, BOB)] + mine + others


@pytest.fixture(scope="module")
def server(serve):
    return serve({version: records(version) for version in VERSIONS})


@pytest.fixture(scope="module")
def token(server):
    return server.grant(EVERYTHING)


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


BY_LAST_UPDATED = [
    ("2024-01-01", ["carrier-1", "carrier-2"]),
    ("eq2024-01-01", ["carrier-1", "carrier-2"]),
    ("2024-01", ["carrier-1", "carrier-2", "dme-3"]),
    ("2024", ["carrier-1", "carrier-2", "dme-3", "hha-4", "hospice-5", "inpatient-6"]),
    ("2024-01-01T00:00", ["carrier-1"]),
    ("2024-01-01T23:59:59Z", ["carrier-2"]),
    ("2024-01-01T23:59:59.999Z", ["carrier-2"]),
    ("2024-01-01T23:59:59.998Z", []),
    ("2024-02-02T03:30:15.250Z", ["hha-4"]),
    ("2024-02-02T05:30:15.250+02:00", ["hha-4"]),
    ("2024-02-29", ["hospice-5"]),
    ("lt2024-01-01", []),
    ("lt2024-01-02", ["carrier-1", "carrier-2"]),
    ("le2024-01-02", ["carrier-1", "carrier-2", "dme-3"]),
    ("le2024-01-01", ["carrier-1", "carrier-2"]),
    ("lt2024-01-01T23:59:59.999Z", ["carrier-1"]),
    ("le2024-01-01T23:59:59.999Z", ["carrier-1", "carrier-2"]),
    ("gt2025-01-01", ["snf-9"]),
    ("ge2025-01-01", ["outpatient-7", "pde-8", "snf-9"]),
    ("gt2025-01-01T00:00:00.000Z", ["pde-8", "snf-9"]),
    ("ge2025-01-01T00:00:00.000Z", ["outpatient-7", "pde-8", "snf-9"]),
    ("gt2024", ["outpatient-7", "pde-8", "snf-9"]),
    ("ge9999", []),
    ("le9999-12-31", ALL),
    ("2024-01-01,2026", ["carrier-1", "carrier-2", "snf-9"]),
    ("lt2024-01-02,gt2025-12", ["carrier-1", "carrier-2", "snf-9"]),
]


@pytest.mark.parametrize(("value", "found"), BY_LAST_UPDATED)
def test_last_updated_takes_every_prefix_and_precision(server, token, version, value, found):
    bundle = server.fhir(f"ExplanationOfBenefit?_lastUpdated={quote(value)}", token, version=version).json
    assert (ids(bundle), bundle["total"]) == (found, len(found))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2024-06-30", ["hospice-5"]),
        ("2024-06", ["hha-4", "hospice-5"]),
        ("2024", ["carrier-2", "dme-3", "hha-4", "hospice-5", "inpatient-6"]),
        ("2025", ["outpatient-7", "pde-8"]),
        ("eq2024-02-29", ["carrier-2"]),
        ("lt2024-02-29", ["carrier-1"]),
        ("le2024-02-29", ["carrier-1", "carrier-2"]),
        ("gt2025-01-01", ["outpatient-7", "snf-9"]),  # the year 2025 reaches beyond its first day
        ("ge2025-01-01", ["outpatient-7", "pde-8", "snf-9"]),
        ("gt2025", ["snf-9"]),
        ("2023-12-31,2026", ["carrier-1", "snf-9"]),
        ("2010-01-01", []),  # the first day of service is not what is asked for
    ],
)
def test_service_date_is_the_last_day_of_service(server, token, version, value, found):
    bundle = server.fhir(f"ExplanationOfBenefit?service-date={value}", token, version=version).json
    assert (ids(bundle), bundle["total"]) == (found, len(found))


@pytest.mark.parametrize("name", ["_lastUpdated", "service-date"])
def test_repeated_dates_must_all_hold(server, token, version, name):
    query = f"{name}=ge2024-01-02&{name}=lt2024-06-30"
    found = ids(server.fhir(f"ExplanationOfBenefit?{query}", token, version=version).json)
    assert found == (["dme-3", "hha-4", "hospice-5"] if name == "_lastUpdated" else ["carrier-2", "dme-3", "hha-4"])


OF_TYPE = {
    "carrier": ["carrier-1", "carrier-2"],
    "carrier,pde": ["carrier-1", "carrier-2", "pde-8"],
    "CARRIER": ["carrier-1", "carrier-2"],
    "Carrier,PdE": ["carrier-1", "carrier-2", "pde-8"],
    f"{EOB_TYPE}|carrier": ["carrier-1", "carrier-2"],
    f"{EOB_TYPE}|SNF,{EOB_TYPE}|hha": ["hha-4", "snf-9"],
    f"{EOB_TYPE}|": ALL,
    "pharmacy": ["pde-8"],
    "professional": ["carrier-1", "carrier-2", "dme-3"],
    "https://elsewhere.example|carrier": [],
    "|carrier": [],
}


@pytest.mark.parametrize(("value", "found"), OF_TYPE.items())
def test_type_is_a_blue_button_or_hl7_code(server, token, version, value, found):
    bundle = server.fhir(f"ExplanationOfBenefit?type={quote(value)}", token, version=version).json
    assert (ids(bundle), bundle["total"]) == (found, len(found))


@pytest.mark.parametrize("code", ["carrier", "dme", "hha", "hospice", "inpatient", "outpatient", "pde", "snf"])
def test_each_blue_button_type_finds_its_claims(server, token, version, code):
    for value in (code, code.upper(), quote(f"{EOB_TYPE}|{code}")):
        found = ids(server.fhir(f"ExplanationOfBenefit?type={value}", token, version=version).json)
        assert found == [id for id in ALL if id.startswith(code)]


def test_type_is_a_coding_of_hl7_with_its_system(server, token, version):
    for code, found in (("pharmacy", ["pde-8"]), ("PHARMACY", ["pde-8"]), ("oral", [])):
        value = quote(f"{CLAIM_TYPE[version]}|{code}")
        assert ids(server.fhir(f"ExplanationOfBenefit?type={value}", token, version=version).json) == found
    other = quote(f"{CLAIM_TYPE['v1' if version == 'v2' else 'v2']}|pharmacy")
    assert ids(server.fhir(f"ExplanationOfBenefit?type={other}", token, version=version).json) == []


def test_repeated_types_must_all_hold(server, token, version):
    assert ids(server.fhir("ExplanationOfBenefit?type=carrier&type=pde", token, version=version).json) == []
    both = "type=carrier,dme,pde&type=professional"
    found = ids(server.fhir(f"ExplanationOfBenefit?{both}", token, version=version).json)
    assert found == ["carrier-1", "carrier-2", "dme-3"]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (f"{CLAIM_ID}|6", ["inpatient-6"]),
        ("6", ["inpatient-6"]),
        (f"{CLAIM_ID}|", ALL),
        (f"{CLAIM_ID}|6,{CLAIM_ID}|8", ["inpatient-6", "pde-8"]),
        ("|6", []),
        ("https://elsewhere.example|6", []),
        (f"{CLAIM_ID}|77", []),  # Bob's
    ],
)
def test_identifier_of_a_claim_has_a_system_and_a_value(server, token, version, value, found):
    assert ids(server.fhir(f"ExplanationOfBenefit?identifier={quote(value)}", token, version=version).json) == found


@pytest.fixture(scope="module")
def odd():
    """Identifiers with the characters that mean something in a search."""
    odd = {"pde-a": "a,b", "pde-b": "a|b", "pde-c": "c\\d", "pde-d": "x$y"}
    made = [claim("v2", id, identifier=[{"system": CLAIM_ID, "value": value}]) for id, value in odd.items()]
    server = server_with(None, {"v2": made})
    return server, server.grant(EVERYTHING)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (r"a\,b", ["pde-a"]),
        (r"a\,b,x$y", ["pde-a", "pde-d"]),
        (rf"{CLAIM_ID}|a\|b", ["pde-b"]),
        (r"a\|b", ["pde-b"]),
        (r"c\\d,x\$y", ["pde-c", "pde-d"]),
        ("a,b", []),
        ("c\\d", ["pde-c"]),
        ("\\", []),
    ],
)
def test_a_backslash_takes_its_meaning_from_what_follows(odd, value, found):
    server, token = odd
    assert ids(server.fhir(f"ExplanationOfBenefit?identifier={quote(value)}", token).json) == found


def test_identifier_of_a_patient_finds_only_the_person(server, token, version):
    for value, found in ((f"{MBI}|1EG4TE5MK73", [ALICE]), ("1eg4te5mk73", [ALICE]), (f"{MBI}|2EG4TE5MK74", [])):
        bundle = server.fhir(f"Patient?identifier={quote(value)}", token, version=version).json
        assert (ids(bundle), bundle["total"]) == (found, len(found))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("dme-3", ["dme-3"]),
        ("dme-3,snf-9", ["dme-3", "snf-9"]),
        ("carrier-77", []),
        ("dme-3,carrier-77", ["dme-3"]),
        ("unknown", []),
        ("DME-3", []),  # ids have case
        ("part-a--1001", []),  # of another type
    ],
)
def test_id_finds_only_the_persons_own(server, token, version, value, found):
    bundle = server.fhir(f"ExplanationOfBenefit?_id={value}", token, version=version).json
    assert (ids(bundle), bundle["total"]) == (found, len(found))


def test_repeated_ids_must_all_hold(server, token, version):
    assert ids(server.fhir("ExplanationOfBenefit?_id=dme-3,snf-9&_id=dme-3", token, version=version).json) == ["dme-3"]


def test_different_parameters_must_all_hold(server, token, version):
    query = "type=professional&service-date=ge2024&_lastUpdated=2024-01-01"
    assert ids(server.fhir(f"ExplanationOfBenefit?{query}", token, version=version).json) == ["carrier-2"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("ExplanationOfBenefit?patient=-1001", ALL),
        ("ExplanationOfBenefit?patient=Patient/-1001", ALL),
        ("ExplanationOfBenefit?patient=-1001&patient=Patient/-1001", ALL),
        ("ExplanationOfBenefit?patient=BASE/Patient/-1001", ALL),
        ("Coverage?beneficiary=BASE/Patient/-1001", ["part-a--1001", "part-b--1001"]),
        ("Coverage?beneficiary=-1001", ["part-a--1001", "part-b--1001"]),
        ("Coverage?beneficiary=Patient/-1001", ["part-a--1001", "part-b--1001"]),
        ("Coverage?patient=Patient/-1001", ["part-a--1001", "part-b--1001"]),
        ("Coverage", ["part-a--1001", "part-b--1001"]),
        ("Patient?_id=-1001", [ALICE]),
        ("Patient?_id=-1002", []),
        ("Patient", [ALICE]),
    ],
)
def test_every_search_is_in_the_persons_compartment(server, token, version, path, found):
    bundle = server.fhir(path.replace("BASE", f"http://localhost/{version}/fhir"), token, version=version).json
    assert (ids(bundle), bundle["total"]) == (found, len(found))


def test_another_person_is_refused_whether_they_exist_or_not(server, token, version):
    for path in ("ExplanationOfBenefit?patient", "Coverage?patient", "Coverage?beneficiary"):
        answers = [
            server.fhir(f"{path}={value}", token, version=version, status=403)
            for value in (
                *(BOB, f"Patient/{BOB}", "-424242", "Patient/-424242", f"{ALICE},{BOB}", "Patient/", "no body"),
                f"http://elsewhere.example/{version}/fhir/Patient/{ALICE}",
                f"http://localhost/{version}/fhir/{ALICE}",
            )
        ]
        assert_outcome(answers[0], "forbidden")
        assert 'error="insufficient_scope"' in answers[0].headers["WWW-Authenticate"]
        assert {answer.body for answer in answers} == {answers[0].body}
        assert {answer.headers["WWW-Authenticate"] for answer in answers} == {answers[0].headers["WWW-Authenticate"]}


def test_a_search_by_post_is_the_same_as_by_get(server, token, version):
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    path = f"/{version}/fhir/ExplanationOfBenefit/_search"
    in_body = server.post(path, {"type": "carrier,dme", "_count": "2"}, headers=headers)
    in_url = server.post(f"{path}?type=carrier,dme&_count=2", headers=headers)
    in_both = server.post(f"{path}?type=carrier,dme", {"_count": "2"}, headers=headers)
    by_get = server.fhir("ExplanationOfBenefit?type=carrier,dme&_count=2", token, version=version)
    for answer in (in_body, in_url, in_both, by_get):
        assert (ids(answer.json), answer.json["total"]) == (["carrier-1", "carrier-2"], 3)
        assert answer.json["link"] == by_get.json["link"]
        assert answer.content_type == "application/fhir+json"
    narrowed = server.post(f"{path}?type=carrier,dme", {"type": "professional", "_id": "dme-3"}, headers=headers)
    assert ids(narrowed.json) == ["dme-3"]


def test_a_form_with_files_is_a_form_too(server, token, version):
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    path = f"/{version}/fhir/ExplanationOfBenefit/_search"
    assert ids(server.post(path, {"type": "dme"}, headers=headers, content_type="multipart/form-data").json) == [
        "dme-3"
    ]
    file = [("type", "claims.txt", b"dme")]
    assert "type" in assert_outcome(server.post(path, upload_files=file, headers=headers, status=400), "invalid")
    no_boundary = server.post(path, "x", headers=headers | {"Content-Type": "multipart/form-data"}, status=400)
    assert_outcome(no_boundary, "invalid")
    of_parts = headers | {"Content-Type": "multipart/form-data; boundary=x"}
    no_name = server.post(path, "--x\r\n\r\ndme\r\n--x--\r\n", headers=of_parts, status=400)
    assert_outcome(no_name, "invalid")


def test_a_post_that_is_no_form_is_refused(server, token, version):
    """Its filters would be ignored, and the app would take every record for what it had asked for."""
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    path = f"/{version}/fhir/ExplanationOfBenefit/_search"
    answer = server.post_json(path, {"type": "dme"}, headers=headers, status=415)
    assert "application/x-www-form-urlencoded" in assert_outcome(answer, "not-supported")


@pytest.mark.parametrize(("count", "found"), [(None, 9), ("1", 1), ("5", 5), ("9", 9), ("50", 9), ("999999999", 9)])
def test_count_is_how_many_are_on_a_page(server, token, version, count, found):
    query = f"?_count={count}" if count else ""
    bundle = server.fhir(f"ExplanationOfBenefit{query}", token, version=version).json
    assert (len(ids(bundle)), bundle["total"]) == (found, 9)


@pytest.mark.parametrize("query", ["_count=0", "_summary=count", "_summary=count&_count=5"])
def test_only_the_total_can_be_asked_for(server, token, version, query):
    bundle = server.fhir(f"ExplanationOfBenefit?{query}&type=carrier", token, version=version).json
    assert bundle["total"] == 2
    assert "entry" not in bundle
    (only,) = bundle["link"]
    assert only["relation"] == "self"
    assert query.split("&")[0] in only["url"]


def test_start_index_skips(server, token, version):
    bundle = server.fhir("ExplanationOfBenefit?startIndex=7&_count=5", token, version=version).json
    assert (ids(bundle), bundle["total"]) == (ALL[7:], 9)
    beyond = server.fhir("ExplanationOfBenefit?startIndex=900&_count=5", token, version=version).json
    assert (ids(beyond), beyond["total"]) == ([], 9)
    assert "entry" not in beyond


@pytest.mark.parametrize("total", ["accurate", "estimate", "none"])
def test_the_total_is_always_the_whole_count(server, token, version, total):
    assert server.fhir(f"ExplanationOfBenefit?_total={total}&_count=1", token, version=version).json["total"] == 9


@pytest.mark.parametrize(
    "format",
    [
        "",
        "json",
        "JSON",
        "application/json",
        "application/fhir%2Bjson",
        "application/fhir+json",
        "application/json%2Bfhir",
        "application/fhir%2Bjson;fhirVersion=4.0",
    ],
)
def test_json_by_any_of_its_names_is_served(server, token, version, format):
    for path in ("ExplanationOfBenefit", "ExplanationOfBenefit/dme-3"):
        answer = server.fhir(f"{path}?_format={format}", token, version=version)
        assert answer.content_type == "application/fhir+json"
    assert server.get(f"/{version}/fhir/metadata?_format={format}").content_type == "application/fhir+json"


@pytest.mark.parametrize("format", ["xml", "application/fhir%2Bxml", "text/turtle", "html/json"])
def test_what_is_not_json_is_not_served(server, token, version, format):
    for path in ("ExplanationOfBenefit", "ExplanationOfBenefit/dme-3"):
        answer = server.fhir(f"{path}?_format={format}", token, version=version, status=406)
        assert "application/fhir+json" in assert_outcome(answer, "not-supported")
    assert_outcome(server.get(f"/{version}/fhir/metadata?_format={format}", status=406), "not-supported")


def test_an_unknown_parameter_is_ignored_and_left_out_of_the_self_link(server, token, version):
    query = "type=dme&_sort=-_id&color=blue&_revinclude=Provenance:target&color:exact=red"
    bundle = server.fhir(f"ExplanationOfBenefit?{query}", token, version=version).json
    assert ids(bundle) == ["dme-3"]
    url = link(bundle, "self")
    assert "type=dme" in url
    for ignored in ("_sort", "color", "blue", "_revinclude"):
        assert ignored not in url


@pytest.mark.parametrize(
    "prefer",
    ["handling=strict", "HANDLING=strict", 'handling="strict"', "return=representation, handling=strict; wait=10"],
)
def test_an_unknown_parameter_is_refused_when_the_app_prefers_so(server, token, version, prefer):
    query = "type=dme&color=blue&_sort=_id"
    refused = ask(server, token, f"ExplanationOfBenefit?{query}", version, status=400, prefer=prefer)
    words = assert_outcome(refused, "not-supported")
    assert "color, _sort" in words
    assert "service-date" in words
    known = ask(server, token, "ExplanationOfBenefit?type=dme&_count=1&startIndex=0", version, prefer=prefer)
    assert ids(known.json) == ["dme-3"]


def test_an_unknown_parameter_is_ignored_when_the_app_prefers_so(server, token, version):
    for prefer in ("handling=lenient", "return=minimal"):
        answer = ask(server, token, "ExplanationOfBenefit?color=blue", version, prefer=prefer)
        assert answer.json["total"] == 9


def test_a_parameter_without_a_value_is_no_parameter(server, token, version):
    query = "type=&_id=&service-date=&patient=&_count=&_lastUpdated="
    assert server.fhir(f"ExplanationOfBenefit?{query}", token, version=version).json["total"] == 9


@pytest.mark.parametrize(
    "query",
    [
        "type:not=dme",
        "_id:missing=true",
        "patient:Patient=-1001",
        "service-date:missing=true",
        "_lastUpdated:exact=2024",
        "_count:x=1",
        "identifier:of-type=a|b",
        "_include:iterate=ExplanationOfBenefit:patient",
    ],
)
def test_a_modifier_of_a_known_parameter_is_refused(server, token, version, query):
    name, _, value = query.partition("=")
    words = assert_outcome(server.fhir(f"ExplanationOfBenefit?{query}", token, version=version, status=400), "invalid")
    assert words.startswith(f"{name}={value} ")
    assert f"{name.partition(':')[0]} without a modifier" in words


@pytest.mark.parametrize(
    ("name", "values", "accepted"),
    [
        (
            "_lastUpdated",
            ["yesterday", "2024-13", "ne2024", "sa2024", "ap2024", "GT2024", "ge", "2024,", "20240101"],
            "ge",
        ),
        ("service-date", ["2023-02-29", "eb2024", "2024-06-30T25:00", "gt 2024"], "2024-06-30"),
        ("type", ["dental", "carrier,dental", "carrier,", ",", "|", f"{EOB_TYPE}|dental"], "carrier"),
        ("identifier", ["|", ",", "a,"], "system|code"),
        ("_count", ["-1", "ten", "1.5", "9999999999", "١", "+5"], "whole number"),
        ("startIndex", ["-1", "x", "1e3"], "whole number"),
        ("_summary", ["true", "text", "data", "counts"], "count"),
        ("_total", ["exact"], "accurate, estimate, none"),
    ],
)
def test_a_bad_value_is_refused_with_what_is_accepted(server, token, version, name, values, accepted):
    for value in values:
        path = f"ExplanationOfBenefit?{name}={quote(value)}"
        words = assert_outcome(server.fhir(path, token, version=version, status=400), "invalid")
        assert words.startswith(f"{name}={value} is not accepted; accepted: ")
        assert accepted in words.partition("accepted: ")[2]


def test_more_values_than_a_database_takes_are_refused(server, token, version):
    for name, value in (("_id", "x"), ("identifier", "x"), ("service-date", "2024"), ("_lastUpdated", "2024")):
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        path = f"/{version}/fhir/ExplanationOfBenefit/_search"
        server.post(path, {name: ",".join([value] * 200)}, headers=headers, status=200)
        refused = server.post(path, {name: ",".join([value] * 201)}, headers=headers, status=400)
        assert "200" in assert_outcome(refused, "too-costly")
        repeated = server.post(path, [(name, value)] * 400, headers=headers, status=400)
        assert_outcome(repeated, "too-costly")


@pytest.mark.parametrize("query", ["_id=%00", "type=%00", "service-date=2024%00", "identifier=a%00", "color=%00"])
def test_a_value_that_is_no_text_is_refused(server, token, version, query):
    assert_outcome(server.fhir(f"ExplanationOfBenefit?{query}", token, version=version, status=400), "invalid")


@pytest.mark.parametrize("query", ["_id=%FF", "%FF=1", "type=%ED%A0%80"])
def test_a_url_that_is_not_utf_8_is_refused(server, token, version, query):
    assert_outcome(server.fhir(f"ExplanationOfBenefit?{query}", token, version=version, status=400), "invalid")


def test_values_that_would_be_sql_find_nothing(server, token, version):
    for value in ("' OR 1=1 --", "%", "_", '"', "\\", "*", "'; DROP TABLE record; --"):
        for name in ("_id", "identifier"):
            path = f"ExplanationOfBenefit?{name}={quote(value)}"
            assert server.fhir(path, token, version=version).json["total"] == 0
    assert server.fhir("ExplanationOfBenefit", token, version=version).json["total"] == 9


@pytest.mark.parametrize("path", ["ExplanationOfBenefit/dme-3", "ExplanationOfBenefit?type=dme", "metadata"])
def test_head_answers_as_get_without_the_body(server, token, version, path):
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    answer = server.head(f"/{version}/fhir/{path}", headers=headers)
    assert (answer.status_int, answer.content_type, answer.body) == (200, "application/fhir+json", b"")


def test_head_is_refused_as_get_is(server, token, version):
    server.head(f"/{version}/fhir/ExplanationOfBenefit/dme-3", status=401)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    server.head(f"/{version}/fhir/ExplanationOfBenefit/carrier-77", headers=headers, status=404)


UNKNOWN = ["unknown", "x" * 64, "x" * 65, "x" * 500, "a%20b", "%00", "%C3%A9", "'", "a%0Ab", "_search", "-1001"]


def test_another_persons_record_and_an_unknown_id_are_the_same(server, token, version):
    for resource_type, others in (("ExplanationOfBenefit", OTHERS), ("Coverage", ["part-a--1002"]), ("Patient", [BOB])):
        answers = [
            server.fhir(f"{resource_type}/{id}", token, version=version, status=404)
            for id in others + [id for id in UNKNOWN if (resource_type, id) != ("Patient", ALICE)]
        ]
        assert_outcome(answers[0], "not-found")
        assert {answer.body for answer in answers} == {answers[0].body}
        assert {tuple(sorted(set(answer.headers) - {"Date"})) for answer in answers} == {
            tuple(sorted(answers[0].headers))
        }


def test_a_record_of_one_version_is_not_in_the_other(make_server):
    server = make_server(records={"v1": [coverage("c", BOB)]})
    token = server.grant(EVERYTHING, username="bob")
    server.fhir("Coverage/part-c--1002", token, version="v1")
    server.fhir("Coverage/part-c--1002", token, version="v2", status=404)


def test_every_refusal_is_an_operation_outcome(server, token, version):
    assert_outcome(server.get(f"/{version}/fhir/Coverage", status=401), "login")
    bad = {"access_token": "unknown"}
    assert_outcome(server.fhir("Coverage", bad, version=version, status=401), "login")
    url = f"Coverage?access_token={token['access_token']}"
    assert_outcome(server.fhir(url, token, version=version, status=400), "invalid")
    assert_outcome(server.fhir("Observation/1", token, version=version, status=404), "not-found")
    assert_outcome(server.fhir("", token, version=version, status=404), "not-found")
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert_outcome(server.put(f"/{version}/fhir/Coverage/1", headers=headers, expect_errors=True))
    assert_outcome(server.delete(f"/{version}/fhir/Coverage/1", headers=headers, expect_errors=True))
    narrow = grant_to_another_app(server, "patient/Coverage.read")
    assert_outcome(server.fhir("ExplanationOfBenefit", narrow, version=version, status=403), "forbidden")
