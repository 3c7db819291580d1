"""How does a FHIR document go out over HTTP?  As JSON, tagged, packed where the client takes that, or not at all (304).

The tag is of the very text that this token sees, so what was taken out of a record for one token has another tag than
the whole.  It is weak, as the packed bytes and the plain ones share it (RFC 9110, 8.8.3).
"""

import gzip
import time
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256

from pyramid.response import Response

FHIR_JSON = "application/fhir+json"
PACKED_FROM = 1024  #: bytes: what is smaller fits into one packet anyhow
LEVEL = 1  #: of gzip: a claim shrinks to a tenth; more takes twice as long for little
#: Whose view it is, and how it is packed; health records are for the app to keep, not for caches on the way.
HEADERS = {"Vary": "Authorization, Accept-Encoding", "Cache-Control": "private, no-store"}


def document(request, text):
    """The answer with a FHIR document (str)."""
    return _answer(request, text.encode())


def record(request, found):
    """The answer to a read of a FhirRecord, or 304 where the client has just this (RFC 9110, 13)."""
    body = found.body.encode()
    tag = urlsafe_b64encode(sha256(body).digest()[:18]).decode()
    modified = _modified(found)
    if _has(request, tag, modified):
        response = Response(status=304, headerlist=list(HEADERS.items()))
    else:
        response = _answer(request, body)
    response.headers["ETag"] = f'W/"{tag}"'
    response.last_modified = modified
    return response


def _modified(found):
    """When a record was last changed, to the second; None where no date may be told, and none is compared.

    The date of a record from which something was taken out is that of the whole one as well: by it alone, one could be
    taken for the other.  A date to come would be true of what is changed until then (RFC 9110, 8.8.2.1).
    """
    if found.whole and 0 < found.last_updated <= time.time() * 1_000_000:
        return datetime.fromtimestamp(found.last_updated // 1_000_000, UTC)
    return None


def _has(request, tag, modified):
    """Has the client got it already?  `If-None-Match` decides where it is there (RFC 9110, 13.1.3)."""
    if "If-None-Match" in request.headers:
        return tag in request.if_none_match
    since = request.if_modified_since
    return since is not None and modified is not None and modified <= since


def _answer(request, body):
    headers = list(HEADERS.items())
    if len(body) >= PACKED_FROM and takes_gzip(request):
        body = gzip.compress(body, LEVEL, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    response = Response(body, headerlist=[("Content-Type", f"{FHIR_JSON}; charset=utf-8"), *headers])
    response.content_length = len(body)
    return response


def takes_gzip(request):
    """True where the client asks for gzip, and prefers nothing to it (RFC 9110, 12.5.3)."""
    if "Accept-Encoding" not in request.headers:
        return False
    offers = dict(request.accept_encoding.acceptable_offers(["gzip", "identity"]))
    plain = offers.get("identity", 0) if "identity" in request.headers["Accept-Encoding"].lower() else 0
    return offers.get("gzip", 0) > 0 and offers["gzip"] >= plain
