"""`bb2 load`: which files are taken, and what is said of the others."""

import gzip
import json
import os
import re
import tracemalloc

import pytest
from click.testing import CliRunner
from fhir_records import EVERYTHING, claim, coverage, ids, person, server_with
from sqlalchemy import delete

from bb2.cli import command
from bb2.fhir.files import LoadError, read_file
from bb2.fhir.load import load_file
from bb2.models import Record, RecordIndex
from bb2.testing import ALICE, BOB

pytestmark = pytest.mark.either_database

GOOD = coverage("a", **{"class": [{"value": "Part A"}]})  # R4, by its class
STU3 = coverage("a", grouping={"subPlan": "Part A"})
ALSO = {"resourceType": "Coverage", "id": "b", "beneficiary": {"reference": "Patient/-1001"}}


@pytest.fixture(scope="module")
def shared_server(shared_engine):
    return server_with(shared_engine, [])


@pytest.fixture
def server(shared_server):
    """The server, without a record."""
    with shared_server.db() as db:
        db.execute(delete(RecordIndex))
        db.execute(delete(Record))
    return shared_server


@pytest.fixture
def bb2_load(server):
    """Run `bb2 load` on the server's database: a function of its arguments, which are files and options."""

    def run(*arguments):
        url = server.engine.url.render_as_string(hide_password=False)
        environment = {"BB2_DATABASE_URL": url, "BB2_SCOPES": "*", "BB2_BASE_URL": "http://localhost"}
        return CliRunner().invoke(command, ["load", *map(str, arguments)], env=environment)

    return run


@pytest.fixture
def file(tmp_path):
    """Write a file: a function of its name and content (bytes, text, or records for NDJSON); returns the path."""

    def write(name, content):
        if isinstance(content, list):
            content = "\n".join(map(json.dumps, content)) + "\n"
        data = content if isinstance(content, bytes) else content.encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") and data[:2] != b"\x1f\x8b" else data)
        return path

    return write


def stored(server):
    """{(version, type, id): body} of all that is stored; nothing but records has entries in the index."""
    with server.db() as db:
        found = {(r.version, r.resource_type, r.id): r.body for r in db.query(Record)}
        numbers = {number for (number,) in db.query(Record.number)}
        assert {number for (number,) in db.query(RecordIndex.record_number)} <= numbers
    return found


def counts(output):
    """{type: [added, replaced, unchanged, ignored]} of the table that is printed."""
    rows = re.findall(r"^([A-Z]\w+) +(\d+) +(\d+) +(\d+) +(\d+)$", output, re.MULTILINE)
    return {row[0]: [int(number) for number in row[1:]] for row in rows}


# What is taken

PRETTY = json.dumps(GOOD, indent=2)
BUNDLE = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": GOOD}, {"resource": ALSO}]}
ONE, BOTH = ["part-a--1001"], ["b", "part-a--1001"]


@pytest.mark.parametrize(
    ("name", "content", "loaded"),
    [
        ("one-line.json", json.dumps(GOOD), ONE),
        ("one-line-and-newline.json", json.dumps(GOOD) + "\n", ONE),
        ("pretty.json", PRETTY, ONE),
        ("pretty-with-crlf.json", PRETTY.replace("\n", "\r\n"), ONE),
        ("blank-before.json", "\n\r\n  " + PRETTY + "\n\n", ONE),
        ("bundle.json", json.dumps(BUNDLE), BOTH),
        ("bundle-pretty.json", json.dumps(BUNDLE, indent="\t"), BOTH),
        ("bundle-crlf.json", json.dumps(BUNDLE, indent=1).replace("\n", "\r\n"), BOTH),
        ("bundle-entry-first.json", json.dumps({"entry": BUNDLE["entry"], "resourceType": "Bundle", "total": 2}), BOTH),
        ("bundle.json.gz", json.dumps(BUNDLE, indent=2), BOTH),
        ("records.ndjson", [GOOD, ALSO], BOTH),
        ("no-newline-at-the-end.ndjson", f"{json.dumps(GOOD)}\n{json.dumps(ALSO)}", BOTH),
        ("crlf.ndjson", f"{json.dumps(GOOD)}\r\n{json.dumps(ALSO)}\r\n", BOTH),
        ("blank-lines.ndjson", f"\n{json.dumps(GOOD)}\n\n  \n{json.dumps(ALSO)}\n\n", BOTH),
        ("undetermined-first.ndjson", [ALSO, GOOD], BOTH),
        ("records.ndjson.gz", [GOOD, ALSO], BOTH),
        ("byte-order-mark.ndjson", b"\xef\xbb\xbf" + f"{json.dumps(GOOD)}\n{json.dumps(ALSO)}\n".encode(), BOTH),
        ("byte-order-mark.json", b"\xef\xbb\xbf" + PRETTY.encode(), ONE),
        ("byte-order-mark.ndjson.gz", b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), ONE),
    ],
)
def test_a_file_is_a_resource_a_bundle_or_ndjson(server, bb2_load, file, name, content, loaded):
    result = bb2_load(file(name, content))
    assert result.exit_code == 0, result.output
    assert sorted(id for _version, _type, id in stored(server)) == loaded
    assert {version for version, _type, _id in stored(server)} == {"v2"}
    assert counts(result.output) == {"Coverage": [len(loaded), 0, 0, 0]}
    assert f"{name}: {len(loaded)} record{'s' if len(loaded) > 1 else ''}\n" in result.output


def test_an_empty_bundle_is_no_record(server, bb2_load, file):
    for content in ({"resourceType": "Bundle", "type": "searchset", "total": 0}, BUNDLE | {"entry": []}):
        result = bb2_load(file("bundle.json", json.dumps(content)))
        assert result.exit_code == 0
        assert stored(server) == {}


def test_the_version_is_found_from_the_records_or_given(server, bb2_load, file):
    assert bb2_load(file("r4.ndjson", [GOOD]), file("stu3.ndjson", [STU3])).exit_code == 0
    assert {(version, id) for version, _type, id in stored(server)} == {("v1", "part-a--1001"), ("v2", "part-a--1001")}
    either = file("either.ndjson", [ALSO])
    assert bb2_load(either).exit_code == 1
    assert bb2_load("--fhir", "stu3", either).exit_code == 0
    assert bb2_load("--fhir", "r4", either).exit_code == 0
    assert {version for version, _type, id in stored(server) if id == "b"} == {"v1", "v2"}
    assert bb2_load("--fhir", "r5", either).exit_code == 2


@pytest.mark.parametrize(
    ("record", "version"),
    [
        (GOOD, "v2"),
        (STU3, "v1"),
        (claim("v1", "pde-1", information=[]), "v1"),
        (claim("v1", "pde-1", supportingInfo=[]), "v2"),
        (claim("v2", "pde-1"), "v2"),  # by the system of its type
        (person(meta={"profile": ["http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-Patient"]}), "v2"),
        (person(meta={"profile": "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-Patient"}), "v2"),
    ],
)
def test_each_telling_record_tells_its_version(server, bb2_load, file, record, version):
    assert bb2_load(file("record.json", json.dumps(record))).exit_code == 0
    assert {version for version, _type, _id in stored(server)} == {version}


def test_records_are_added_replaced_or_unchanged(server, bb2_load, file):
    first = [GOOD, ALSO, claim("v2", "pde-1")]
    assert counts(bb2_load(file("records.ndjson", first)).output) == {
        "Coverage": [2, 0, 0, 0],
        "ExplanationOfBenefit": [1, 0, 0, 0],
    }
    # White space outside the strings is no change.
    spaced = "\n".join(json.dumps(record, separators=(" , ", "  :\t")) for record in first)
    assert counts(bb2_load(file("records.ndjson", spaced)).output) == {
        "Coverage": [0, 0, 2, 0],
        "ExplanationOfBenefit": [0, 0, 1, 0],
    }
    then = [GOOD | {"status": "cancelled"}, ALSO, coverage("c"), claim("v2", "pde-1", end="2030-01-01")]
    assert counts(bb2_load(file("records.ndjson", then)).output) == {
        "Coverage": [1, 1, 1, 0],
        "ExplanationOfBenefit": [0, 1, 0, 0],
    }
    token = server.grant(EVERYTHING)
    assert server.fhir("Coverage/part-a--1001", token).json["status"] == "cancelled"
    assert ids(server.fhir("ExplanationOfBenefit?service-date=2030", token).json) == ["pde-1"]
    assert ids(server.fhir("ExplanationOfBenefit?service-date=2024", token).json) == []  # of the record that it was


def test_of_two_records_with_one_id_the_later_stays(server, bb2_load, file):
    near = [GOOD, GOOD | {"status": "draft"}, GOOD | {"status": "draft"}]
    assert counts(bb2_load(file("near.ndjson", near)).output) == {"Coverage": [1, 1, 1, 0]}
    far = [ALSO, *(coverage("x", id=f"x-{number}") for number in range(300)), ALSO | {"status": "draft"}]
    assert counts(bb2_load("--fhir", "r4", file("far.ndjson", far)).output) == {"Coverage": [301, 1, 0, 0]}
    bodies = stored(server)
    assert json.loads(bodies["v2", "Coverage", "part-a--1001"])["status"] == "draft"
    assert json.loads(bodies["v2", "Coverage", "b"])["status"] == "draft"


NEWER, OLDER = "2024-07-02T00:00:00Z", "2024-06-30T23:59:59.999Z"


def dated(updated, **elements):
    """A claim that was last updated then; None: it does not say."""
    record = claim("v2", "pde-1", updated=updated or OLDER, **elements)
    return record if updated else {name: value for name, value in record.items() if name != "meta"}


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (OLDER, NEWER, "replaced"),
        (NEWER, OLDER, "ignored"),
        (NEWER, NEWER, "replaced"),
        (NEWER, "2024-07-01T19:00:00-05:00", "replaced"),  # the same moment
        (OLDER, None, "replaced"),
        (None, OLDER, "replaced"),  # a record that does not say when is not known to be newer
        (None, None, "replaced"),
    ],
)
def test_a_record_stays_where_what_is_loaded_is_older(server, bb2_load, file, first, then, expected):
    """In one file or in two, the result is the same."""
    records = [dated(first), dated(then, status="cancelled")]
    row = [1 if name == expected else 0 for name in ("added", "replaced", "unchanged", "ignored")]
    assert bb2_load("--fhir", "r4", file("first.ndjson", records[:1])).exit_code == 0
    assert counts(bb2_load("--fhir", "r4", file("then.ndjson", records[1:])).output) == {"ExplanationOfBenefit": row}
    (in_two,) = stored(server).values()
    with server.db() as db:
        db.execute(delete(RecordIndex))
        db.execute(delete(Record))
    both = counts(bb2_load("--fhir", "r4", file("both.ndjson", records)).output)
    assert both == {"ExplanationOfBenefit": [1, *row[1:]]}
    (in_one,) = stored(server).values()
    assert in_one == in_two
    assert json.loads(in_one)["status"] == ("active" if expected == "ignored" else "cancelled")


def test_an_ignored_record_changes_nothing_by_which_the_other_is_found(server, bb2_load, file):
    bb2_load(file("newer.ndjson", [claim("v2", "pde-1", updated=NEWER)]))
    bb2_load(file("older.ndjson", [claim("v2", "pde-1", patient=BOB, end="1999-01-01", updated=OLDER)]))
    token = server.grant(EVERYTHING)
    assert ids(server.fhir("ExplanationOfBenefit?service-date=2024", token).json) == ["pde-1"]
    assert ids(server.fhir("ExplanationOfBenefit?service-date=1999", token).json) == []


def test_a_record_that_changes_hands_is_the_new_persons(server, bb2_load, file):
    for who in (ALICE, BOB):
        changed = GOOD | {"id": "one", "beneficiary": {"reference": f"Patient/{who}"}}
        assert bb2_load(file("record.json", json.dumps(changed))).exit_code == 0
    assert server.fhir("Coverage", server.grant(EVERYTHING)).json["total"] == 0
    assert server.fhir("Coverage", server.grant(EVERYTHING, username="bob")).json["total"] == 1


TOKENS = (
    '"numbers": [1.00, 0.10, -0.0, 1E5, 1e-7, 12345678901234567890, 0.1234567890123456789],'
    '"words": "a  b\\t\\u00e9 é \\ud83d\\ude00 \\/ \\\\ \\" , : { } [ ]", "empty": "", "": "", "yes": true, "no": null'
)


def test_what_was_loaded_goes_out_with_the_same_tokens(server, bb2_load, file):
    text = json.dumps(GOOD)[:-1] + ",\r\n  " + TOKENS + " }"
    result = bb2_load(file("record.json", text))
    assert result.exit_code == 0, result.output
    expected = re.sub(r'("(?:[^"\\]|\\.)*")|\s+', r"\1", text)
    token = server.grant(EVERYTHING)
    assert server.fhir("Coverage/part-a--1001", token).text == expected
    assert f'"resource":{expected},' in server.fhir("Coverage", token).text
    declining = server.grant(EVERYTHING, share_demographic=False)
    assert server.fhir("Coverage/part-a--1001", declining).text == expected  # nothing to take out


# What is refused

DEEP = "[" * 5000 + "]" * 5000
BAD_RECORDS = {
    "not JSON": ('{"resourceType": "Coverage", "id"}', "not JSON"),
    "cut off": (json.dumps(GOOD)[:-10], "not JSON"),
    "single quotes": ("{'resourceType': 'Coverage'}", "not JSON"),
    "a comment": (json.dumps(GOOD) + " // mine", "not JSON"),
    "two on a line": (json.dumps(GOOD) + json.dumps(ALSO), "not JSON"),
    "a number": ("42", "not a JSON object"),
    "a list": (json.dumps([GOOD]), "not a JSON object"),
    "null": ("null", "not a JSON object"),
    "no resourceType": (json.dumps({"id": "x", "beneficiary": {"reference": "Patient/1"}}), "no resourceType"),
    "a resourceType that is a list": (json.dumps(GOOD | {"resourceType": ["Coverage"]}), "no resourceType"),
    "an empty resourceType": (json.dumps(GOOD | {"resourceType": ""}), "no resourceType"),
    "no id": (json.dumps({key: value for key, value in GOOD.items() if key != "id"}), "no id"),
    "a number as id": (json.dumps(GOOD | {"id": 1}), "no id, or one that is not a FHIR id"),
    "an empty id": (json.dumps(GOOD | {"id": ""}), "no id, or one that is not a FHIR id"),
    "a long id": (json.dumps(GOOD | {"id": "x" * 65}), "no id, or one that is not a FHIR id"),
    "an id with a slash": (json.dumps(GOOD | {"id": "a/b"}), "no id, or one that is not a FHIR id"),
    "an id with a newline": (json.dumps(GOOD | {"id": "a\n"}), "no id, or one that is not a FHIR id"),
    "an id in Greek": (json.dumps(GOOD | {"id": "α"}), "no id, or one that is not a FHIR id"),
    "an undeclared type": (json.dumps(GOOD | {"resourceType": "Claim"}), "no plugin declares Claim"),
    "no patient": (json.dumps({key: value for key, value in GOOD.items() if key != "beneficiary"}), "no patient"),
    "an empty patient": (json.dumps(GOOD | {"beneficiary": {}}), "no patient"),
    "a patient that is a list": (json.dumps(GOOD | {"beneficiary": [{"reference": "Patient/1"}]}), "no patient"),
    "another sort of person": (json.dumps(GOOD | {"beneficiary": {"reference": "Practitioner/1"}}), "no patient"),
    "a contained patient": (json.dumps(GOOD | {"beneficiary": {"reference": "#p"}}), "no patient"),
    "a broken time": (json.dumps(GOOD | {"meta": {"lastUpdated": "yesterday"}}), "meta.lastUpdated"),
    "a day as time": (json.dumps(GOOD | {"meta": {"lastUpdated": "2024-06-30"}}), "meta.lastUpdated"),
    "a time without a zone": (json.dumps(GOOD | {"meta": {"lastUpdated": "2024-06-30T12:00:00"}}), "meta.lastUpdated"),
    "a number as time": (json.dumps(GOOD | {"meta": {"lastUpdated": 1719748800}}), "meta.lastUpdated"),
    "no time at all": (json.dumps(GOOD | {"meta": {"lastUpdated": None}}), "meta.lastUpdated"),
    "meta as a list": (json.dumps(GOOD | {"meta": []}), "meta is not an object"),
    "an element twice": (json.dumps(GOOD)[:-1] + ',"status":"draft"}', "twice"),
    "an element twice, deep": (json.dumps(GOOD)[:-1] + ',"x":[{"y":{"a":1,"a":1}}]}', "twice"),
    "an element twice, escaped": (json.dumps(GOOD)[:-1] + r',"st\u0061tus":"draft"}', "twice"),
    "NaN": (json.dumps(GOOD)[:-1] + ',"x":NaN}', "NaN is not JSON"),
    "Infinity": (json.dumps(GOOD)[:-1] + ',"x":-Infinity}', "-Infinity is not JSON"),
    "a boundless number": (json.dumps(GOOD)[:-1] + ',"x":1e999}', "not JSON"),
    "an endless number": (json.dumps(GOOD)[:-1] + f',"x":{"9" * 5000}}}', "not JSON"),
    "half a character": (json.dumps(GOOD)[:-1] + r',"x":"\ud800"}', "not JSON"),
    "the character 0": (json.dumps(GOOD)[:-1] + r',"x":"a\u0000b"}', "character 0"),
    "a control character": (json.dumps(GOOD)[:-1] + ',"x":"a\tb"}', "not JSON"),
    "lists within lists": (json.dumps(GOOD)[:-1] + f',"x":{DEEP}}}', "not JSON"),
    "a Bundle": (json.dumps(BUNDLE), "a Bundle among other records"),
    "another FHIR version": (json.dumps(STU3), "this record is FHIR STU3, and the file is R4"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_bad_record_stops_its_file_with_its_line_number(server, bb2_load, file, bad, reason):
    before = file("before.ndjson", [GOOD | {"id": "before"}])
    refused = file("refused.ndjson", f"{json.dumps(GOOD)}\n\n{bad}\n{json.dumps(ALSO)}\n")
    after = file("after.ndjson", [GOOD | {"id": "after"}])
    result = bb2_load(before, refused, after)
    assert result.exit_code == 1
    assert f"{refused}: line 3: " in result.output
    assert reason in result.output
    assert "Nothing of this file was kept" in result.output
    assert "Traceback" not in result.output
    assert sorted(id for _version, _type, id in stored(server)) == ["after", "before"]
    assert counts(result.output) == {"Coverage": [2, 0, 0, 0]}


def is_json(text):
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


#: {reason: a bad record}, one for each: a record is looked at in the same way wherever it stands.
IN_A_BUNDLE = {reason: bad for bad, reason in BAD_RECORDS.values() if is_json(bad)}


@pytest.mark.parametrize(("reason", "bad"), IN_A_BUNDLE.items(), ids=IN_A_BUNDLE)
def test_a_bad_record_in_a_bundle_stops_it_at_the_line_of_its_entry(server, bb2_load, file, bad, reason):
    lines = [
        '{"resourceType": "Bundle",',
        ' "entry": [',
        f'  {{"resource": {json.dumps(GOOD)}}},',
        '  {"fullUrl": "x",',
        f'   "resource": {bad}}},',
        f'  {{"resource": {json.dumps(ALSO)}}}]}}',
    ]
    refused = file("bundle.json", "\n".join(lines))
    result = bb2_load(refused)
    assert result.exit_code == 1
    assert f"{refused}: line 4: " in result.output
    assert reason in result.output
    assert stored(server) == {}


TWO_RESOURCES = f'{{"resourceType": "Bundle", "entry": [\n{{"resource": {PRETTY}, "resource": {PRETTY}}}]}}'


def gzipped(data):
    """The same bytes in every test process: gzip writes down the time."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("empty.ndjson", b"", 1, "the file is empty"),
        ("blank.json", b"\n \n\n", 1, "the file is empty"),
        ("empty.json.gz", gzipped(b""), 1, "the file is empty"),
        ("mark-only.json", b"\xef\xbb\xbf", 1, "the file is empty"),
        ("truncated.ndjson.gz", gzipped(json.dumps(GOOD).encode())[:-12], 1, "damaged or cut off"),
        ("damaged.ndjson.gz", gzipped(json.dumps(GOOD).encode())[:-8] + b"\0" * 8, 1, "damaged or cut off"),
        ("flipped.ndjson.gz", gzipped(b"{}")[:10] + b"\xff" * 20, 1, "damaged or cut off"),
        ("not-gzip.json.gz", b"\x1f\x8bno", 1, "damaged or cut off"),
        ("gzip-by-another-name.json", gzipped(json.dumps(GOOD).encode()), 1, "not UTF-8"),
        ("latin-1.ndjson", f"{json.dumps(GOOD)}\n".encode() + b'{"x": "\xe9"}\n', 2, "not UTF-8"),
        ("latin-1.json", PRETTY.encode()[:-1] + b',\n"x":\n"\xe9"}\n', PRETTY.count("\n") + 3, "not UTF-8"),
        ("utf-16.json", PRETTY.encode("utf-16"), 1, "not UTF-8"),
        ("surrogates.ndjson", b'{"x": "\xed\xa0\x80"}\n', 1, "not UTF-8"),
        ("a-second-mark.ndjson", f"{json.dumps(GOOD)}\n\ufeff{json.dumps(ALSO)}\n", 2, "not JSON"),
        ("list.json", json.dumps([GOOD]), 1, "not a JSON object"),
        ("pretty-list.json", json.dumps([GOOD], indent=2), 1, "not a JSON object"),
        ("pretty-cut-off.json", PRETTY[:-3], None, "not JSON"),
        ("pretty-wrong.json", '{\n "resourceType": "Coverage",\n "id": oops\n}', 3, "not JSON"),
        ("wrong-after-blanks.json", '\n\n{\n "resourceType": "Coverage",\n "id": oops\n}', 5, "not JSON"),
        ("two-pretty.json", f"{PRETTY}\n{PRETTY}\n", PRETTY.count("\n") + 2, "more after the JSON"),
        ("deep.json", '{\n "x": ' + DEEP + "}", None, "not JSON"),
        ("long-number.json", '{\n "x": ' + "9" * 5000 + "}", None, "not JSON"),
        ("text.txt", "Dear beneficiary,\n", 1, "not JSON"),
        ("bundles.ndjson", [BUNDLE, BUNDLE], 2, "a Bundle and more in one file"),
        ("bundle-then-record.ndjson", [BUNDLE, GOOD], 2, "a Bundle and more in one file"),
        ("null-entry.json", '{"resourceType": "Bundle",\n"entry": [\nnull]}', 3, "a Bundle entry with no resource"),
        ("no-resource.json", '{"resourceType": "Bundle",\n"entry": [\n{"fullUrl": "x"}]}', 3, "with no resource"),
        ("text-entry.json", '{"resourceType": "Bundle", "entry": [\n"x"]}', 2, "with no resource"),
        ("entry-no-list.json", '{"resourceType": "Bundle",\n"entry": {"resource": {}}}', 2, "entry is not a list"),
        ("null-list.json", '{"resourceType": "Bundle",\n"entry": null}', 2, "entry is not a list"),
        ("two-lists.json", '{"resourceType": "Bundle", "entry": [],\n"entry": []}', 2, "two lists of entries"),
        ("two-resources.json", TWO_RESOURCES, 2, "with two resources"),
        ("undetermined.ndjson", [ALSO, ALSO], 1, "give --fhir stu3 or --fhir r4"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(server, bb2_load, file, name, content, line, reason):
    refused = file(name, content)
    result = bb2_load(refused, file("good.ndjson", [GOOD | {"id": "good"}]))
    assert result.exit_code == 1
    assert f"{refused}: line {line or ''}" in result.output
    assert reason in result.output
    assert "Traceback" not in result.output
    assert [id for _version, _type, id in stored(server)] == ["good"]


def test_a_version_that_the_records_contradict_is_refused(server, bb2_load, file):
    result = bb2_load("--fhir", "stu3", file("r4.ndjson", [ALSO, GOOD]))
    assert result.exit_code == 1
    assert "line 2: this record is FHIR R4, and the file is STU3" in result.output
    assert stored(server) == {}


def test_thousands_of_good_records_before_a_bad_one_are_not_kept(server, bb2_load, file):
    many = [GOOD | {"id": f"x-{number}"} for number in range(1000)]
    result = bb2_load(file("many.ndjson", [*many, GOOD | {"id": "_"}]))
    assert result.exit_code == 1
    assert "line 1001: " in result.output
    assert stored(server) == {}


def test_a_refused_file_leaves_the_records_that_it_would_have_replaced(server, bb2_load, file):
    assert bb2_load(file("first.ndjson", [GOOD])).exit_code == 0
    before = stored(server)
    assert bb2_load(file("then.ndjson", [GOOD | {"status": "draft"}, {}])).exit_code == 1
    assert stored(server) == before


def test_a_missing_file_stops_before_anything_is_loaded(server, bb2_load, file, tmp_path):
    result = bb2_load(file("good.ndjson", [GOOD]), tmp_path / "missing.ndjson")
    assert result.exit_code == 2
    assert "missing.ndjson" in result.output
    assert stored(server) == {}
    assert bb2_load(tmp_path).exit_code == 2
    assert bb2_load().exit_code == 2


def test_odd_values_are_kept_and_not_found(server, bb2_load, file):
    """What is no FHIR is the sender's to mend; it breaks no search."""
    odd = [
        claim("v2", "pde-1", type={"coding": "odd"}, identifier={"value": ["x"]}, billablePeriod=7),
        claim(
            "v2", "pde-2", type=[[{"coding": [None, {"code": {"a": 1}}]}]], identifier=[None, [], 1], billablePeriod=[]
        ),
        claim("v2", "pde-3", type=None, identifier=[{"system": ["x"], "value": "y"}], billablePeriod={"end": {"x": 1}}),
    ]
    result = bb2_load("--fhir", "r4", file("odd.ndjson", odd))
    assert result.exit_code == 0, result.output
    token = server.grant(EVERYTHING)
    assert server.fhir("ExplanationOfBenefit", token).json["total"] == 3
    for query in ("type=pde", "identifier=y", "service-date=ge1900"):
        assert server.fhir(f"ExplanationOfBenefit?{query}", token).json["total"] == 0


def test_ndjson_is_read_line_by_line(file):
    """A file may be larger than the memory."""
    path = file("records.ndjson", f"{json.dumps(GOOD)}\nnot JSON\n")
    records = read_file(path)
    assert next(records).line == 1


ODD = (
    '{"resourceType": "Coverage", "id": "odd", "text": "\\"é\\\\ \\ud83d\\ude00 😀", "order": 1.50e+1 , "list" : [ ] }'
)
FIRST = f'{{"resource": {ODD}}}'
SHAPES = {
    "a Bundle": f"""
        {{"resourceType" : "Bundle", "total": 12, "entry": [ {FIRST} , {{"x": 1e-7,
        "resource": {ODD}
        }}]}}
        """,
    "its type last": f'{{"total":-0.5,"entry":[{FIRST},{FIRST}],"link":[1,true],"resourceType":"Bundle"}}',
    "NDJSON": f"\n {ODD}\r\n\n{ODD}\n",
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("stretch", [1, 2, 3, 17, 100])
def test_where_a_file_is_cut_while_it_is_read_makes_no_difference(file, shape, stretch):
    path = file("file.json", "\ufeff" + shape)
    expected = [(located.line, located.text.strip()) for located in read_file(path)]
    assert [text for _line, text in expected] == [ODD, ODD]
    assert [(found.line, found.text.strip()) for found in read_file(path, stretch=stretch)] == expected


@pytest.mark.parametrize(
    "wrong", ['{"resource": {"a": 1,}}', '{"resource": {}},', "{}", '{"resource": {"a": "', "oops"]
)
def test_where_a_wrong_file_is_cut_makes_no_difference(file, wrong):
    path = file("wrong.json", f'{{"resourceType": "Bundle",\n"entry": [\n{{"resource": {ODD}}},\n{wrong}]}}')
    messages = set()
    for stretch in (1, 7, 1000):
        with pytest.raises(LoadError) as refused:
            list(read_file(path, stretch=stretch))
        messages.add(str(refused.value))
    assert len(messages) == 1
    assert "line 4: " in messages.pop()


@pytest.mark.parametrize("shape", ["entries before the type", "the type first", "NDJSON"])
def test_a_file_of_any_size_is_read_in_little_memory(file, shape):
    records = [json.dumps(coverage("x", id=f"x-{number}", text="x" * 2000)) for number in range(1500)]
    entries = ",".join(f'{{"resource":{record}}}' for record in records)
    name, content = {
        "entries before the type": ("bundle.json.gz", f'{{"entry":[{entries}],"resourceType":"Bundle"}}'),
        "the type first": ("bundle.json", f'{{"resourceType":"Bundle","entry":[{entries}]}}'),
        "NDJSON": ("records.ndjson", "\n".join(records)),
    }[shape]
    path = file(name, content)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_file(path, stretch=10_000)) == len(records)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 400_000 < len(content) / 5


def test_a_list_that_is_no_bundle_is_one_record(file):
    text = '{"entry": [{"item": {"reference": "Patient/1"}}], "resourceType": "List", "id": "x"}'
    assert [located.text for located in read_file(file("list.json", text))] == [text]


def test_entries_with_resources_in_what_is_no_bundle_are_refused(server, bb2_load, file):
    refused = {"entry": [{"resource": GOOD}], "resourceType": "Coverage", "id": "x"}
    result = bb2_load(file("odd.json", json.dumps(refused)))
    assert "no Bundle" in result.output
    assert stored(server) == {}


def test_a_pipe_is_not_read_twice_to_find_the_version(server, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with server.db() as db, pytest.raises(LoadError, match="give --fhir stu3 or --fhir r4"):
        load_file(db, server.scopes.resources, tmp_path / "pipe")


def test_progress_is_told_while_a_file_is_read(server, file):
    told = []
    many = [GOOD | {"id": f"x-{number}"} for number in range(450)]
    with server.db() as db:
        load_file(db, server.scopes.resources, file("many.ndjson", many), on_written=told.append)
    assert told == [200, 400, 450]
