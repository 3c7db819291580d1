"""The records of another FHIR server: CMS's BFD, HAPI FHIR, a cloud's FHIR service.

The other server is trusted to hold the records, not to pick them.  A search fetches the patient's records of the type,
page by page, and what is found, counted and shown is decided here, as for any source: so the total and the pages are
right whatever the other server knows of our search parameters, of paging, and of what the person withholds.
"""

import json
import logging
from contextlib import contextmanager
from math import isinf
from urllib.parse import quote, unquote, urlencode, urlsplit

import orjson

from bb2.fhir import FHIR_ID, FhirError, FhirRecord, Page
from bb2.fhir.health import Health
from bb2.fhir.index import last_updated
from bb2.fhir.personal import MEDICARE_NUMBER
from bb2.fhir.transport import BadAnswer, Budget, Slow, Transport, Unavailable, authorization, tls_context
from bb2.settings import SettingError
from bb2.settings.kinds import upstream_url

log = logging.getLogger(__name__)
COUNT = 100  #: records on a page that is asked for; a server may give fewer
MEGABYTE = 1_048_576
SLOW = "The server that holds the records takes too long; try again later"
FAILED = "The server that holds the records gave no answer that can be passed on; try again later"
LARGE = 18  #: characters: a longer whole number is not one of this machine


class UpstreamSource:
    """A FhirSource over other servers, {API version: Transport}.

    `params`: the search parameters that they understand as we do.  They only spare bytes: every record is checked here.
    """

    withholds = True  #: what a Query does not match is neither found nor counted, whatever it says of a record

    def __init__(self, transports, *, params=(), seconds=30, size=64 * MEGABYTE):
        self.transports, self.params, self.seconds, self.size = transports, frozenset(params), seconds, size
        self.health = Health(transports)

    @classmethod
    def of(cls, settings):
        """The source that the settings of this server describe.  SettingError for files that cannot be used."""
        return cls.at(
            settings.upstream_bases,
            authorization_file=settings.upstream_authorization,
            ca=settings.upstream_ca,
            certificate=settings.upstream_certificate,
            key=settings.upstream_key,
            connections=settings.upstream_connections,
            read=settings.upstream_read_seconds,
            retries=settings.upstream_retries,
            params=settings.upstream_search_params,
            seconds=settings.upstream_seconds,
            size=settings.upstream_megabytes * MEGABYTE,
        )

    @classmethod
    def at(
        cls,
        bases,
        *,
        named="bb2.upstream_",
        authorization_file=None,
        ca=None,
        certificate=None,
        key=None,
        params=(),
        seconds=30,
        size=64 * MEGABYTE,
        **transport,
    ):
        """Over the servers at these base URLs, {API version: URL}: for a plugin whose records are in one of their own.

        The arguments are as the settings `bb2.upstream_…`, `named` how the names of the plugin's own begin; files are
        Paths, and `read`, `retries` and `connections` go to each Transport.  SettingError for what cannot be used.
        """
        try:
            bases = {version: upstream_url(base) for version, base in bases.items()}
        except ValueError as problem:  # without the URL, which may hold a password
            raise SettingError(f"{named}url cannot be used; {problem}") from None
        try:
            if authorization_file:
                authorization(authorization_file)
        except BadAnswer as problem:
            raise SettingError(f"{named}authorization cannot be used: {problem}") from None
        secure = any(base.startswith("https:") for base in bases.values())
        tls = tls_context(ca, certificate, key, named) if secure else None
        transports = {
            version: Transport(
                base, tls=tls if base.startswith("https:") else None, authorization=authorization_file, **transport
            )
            for version, base in bases.items()
        }
        return cls(transports, params=params, seconds=seconds, size=size)

    def read(self, version, resource, id, patient):
        if resource.patient_element == "id" and id != patient:
            return None  # another person's: the other server need not hear of it
        if not FHIR_ID.fullmatch(id) or not id.strip("."):
            return None  # in a URL, no id is a search, and two dots are the folder above
        return self._read(version, resource, id)[1]

    def search(self, query):
        """FHIR, "search".  A search for the person themselves is a read: their numbers are not sent in any URL."""
        if query.resource.patient_element == "id":
            record, found = self._read(query.version, query.resource, query.patient)
            return Page.of(query, [found] if found and query.matches(record) else [])
        with self._server(query.version) as (server, budget):
            walked = _walk(server, budget, query, self._first(query))
            # By id: a record that is changed while we walk may be on two of the pages.
            unique = {found.id: found for record, found in walked if query.matches(record)}
        return Page.of(query, unique.values())

    def check(self):
        """Raises where one of the servers does not answer; the answer may be some seconds old."""
        self.health.check()

    def _read(self, version, resource, id):
        """(record as a dict, FhirRecord), or None twice."""
        with self._server(version) as (server, budget):
            status, body = server.get(f"{resource.type}/{quote(id, safe='')}", budget)
            if status != 200:
                return None, None
            record = _parsed(body, server.base)
            found = _fhir_record(resource, record)
            if found.id != id:
                raise BadAnswer("it answered another record than was asked for")
            return record, found

    def _first(self, query):
        """The search of the patient's compartment, relative to the base."""
        asked = [(query.resource.patient_element, f"Patient/{query.patient}"), ("_count", COUNT)]
        for name, value in query.used:
            # A value that may be a Medicare number finds nothing anyway (bb2.fhir.index), and URLs are logged.
            if name in self.params and not MEDICARE_NUMBER.search(value.upper()):
                asked.append((name, value.replace(" ", "+") if name == "_lastUpdated" else value))
        return f"{query.resource.type}?{urlencode(asked, quote_via=quote)}"

    @contextmanager
    def _server(self, version):
        """(Transport, Budget) of an API version; what goes wrong is told to the client in few words, and to the log."""
        if version not in self.transports:
            raise FhirError(404, "not-supported", f"There are no records in version {version} of this API")
        try:
            yield self.transports[version], Budget(self.seconds, self.size)
        except Slow as problem:
            log.warning("the FHIR server of %s is too slow: %s", version, problem)
            raise FhirError(504, "timeout", SLOW) from None
        except (Unavailable, BadAnswer) as problem:
            log.warning("the FHIR server of %s cannot be used: %s", version, problem)
            raise FhirError(502, "transient", FAILED) from None


def _walk(server, budget, query, target):
    """(record as a dict, FhirRecord) of every page of a search; BadAnswer where one is not what was asked for."""
    asked = set()
    while target:
        if target in asked:
            raise BadAnswer("its pages lead back to one that was read")
        asked.add(target)
        status, body = server.get(target, budget)
        if status != 200:
            raise BadAnswer(f"it answered {status} to a search")
        bundle = _parsed(body, server.base)
        yield from _records(bundle, query)
        target = _next(bundle, server)


def _records(bundle, query):
    """The records of one page.  Another's among them says that the search was not understood: nothing is used then."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "searchset":
        raise BadAnswer("it answered a search with something else than a searchset Bundle")
    for entry in _list_of_objects(bundle, "entry"):
        search = entry.get("search")
        if isinstance(search, dict) and search.get("mode") in ("include", "outcome"):
            continue  # not asked for, and no match (FHIR, "Search: search.mode")
        record = entry.get("resource")
        found = _fhir_record(query.resource, record)
        if found.patient != query.patient:
            raise BadAnswer(f"it answered a search with another person's {query.resource.type}")
        yield record, found


def _next(bundle, server):
    """The next page, relative to the base; None after the last.

    Whatever host the link names, ours is asked: some servers do not know by which name they are called, and none may
    lead our credentials elsewhere.
    """
    for link in _list_of_objects(bundle, "link"):
        if link.get("relation") == "next":
            url = _split(link.get("url"))
            path = url.path if url.path.startswith("/") else f"{server.path}/{url.path}"
            below = path.rstrip("/") == server.path or path.startswith(f"{server.path}/")
            if not below or ".." in unquote(path) or not url.query.isascii() or not f"{path}{url.query}".isprintable():
                raise BadAnswer("its next page is not under its base")
            return f"{path.removeprefix(server.path).removeprefix('/')}?{url.query}"
    return None


def _split(url):
    try:
        if isinstance(url, str):
            return urlsplit(url)
    except ValueError:
        pass
    raise BadAnswer("its link to the next page cannot be read")


def _list_of_objects(bundle, name):
    members = bundle.get(name, [])
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        raise BadAnswer(f"the {name} of its Bundle is not a list of objects")
    return members


def _fhir_record(resource, record):
    """The FhirRecord of what was parsed here; BadAnswer for what is no record of the type, or is not to be read.

    Its body is written anew, so that what goes out is what was checked.
    """
    if not isinstance(record, dict) or record.get("resourceType") != resource.type:
        raise BadAnswer(f"it answered something else than a record of {resource.type}")
    if not isinstance(record.get("id"), str) or not FHIR_ID.fullmatch(record["id"]):
        raise BadAnswer("it answered a record without an id of FHIR")
    try:
        updated, body = last_updated(record), orjson.dumps(record, default=_as_it_came).decode()
    except (AttributeError, TypeError, ValueError):  # no instant; or half of a character, which UTF-8 cannot hold
        raise BadAnswer("it answered a record with a meta.lastUpdated or a text that cannot be read") from None
    return FhirRecord(id=record["id"], patient=_owner(resource, record), body=body, last_updated=updated or 0)


def _owner(resource, record):
    """The Patient.id whose record this is, or None.  `Patient/1` on a third server is not our patient 1."""
    reference = record.get(resource.patient_element)
    if isinstance(reference, dict) and "://" in str(reference.get("reference")):
        return None
    return resource.patient_of(record)


def _parsed(body, base):
    """The JSON object of a body (bytes), whose references to the server's own base are relative; else BadAnswer.

    Numbers keep their digits (`1.00` stays `1.00`; FHIR, "decimal").
    """
    own = f"{base}/"

    def relative(element):
        reference = element.get("reference")
        if isinstance(reference, str) and reference.startswith(own):
            element["reference"] = reference.removeprefix(own)
        return element

    may_hold = own.encode() in body or b"\\" in body
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            parse_float=_Number,
            parse_int=_whole,
            parse_constant=_no_number,
            object_hook=relative if may_hold else None,
        )
    except (ValueError, RecursionError):
        raise BadAnswer("it answered something that is not JSON") from None
    if not isinstance(parsed, dict):
        raise BadAnswer("it answered JSON that is not an object")
    return parsed


class _Number(float):
    """A number that remembers its digits; ValueError for one that is too large for a machine to read again."""

    def __new__(cls, text):
        number = super().__new__(cls, text)
        if isinf(number):
            raise ValueError("a boundless number")
        number.text = text
        return number


def _as_it_came(number):
    """What orjson writes of an object that it does not know: of a _Number its digits; else TypeError."""
    if not isinstance(number, _Number):
        raise TypeError(f"{type(number).__name__} is not of JSON")
    return orjson.Fragment(number.text)


def _whole(text):
    return int(text) if len(text) <= LARGE else _Number(text)


def _no_number(text):
    raise ValueError(f"{text} is not JSON")
