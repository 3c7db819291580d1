"""A page of a search as a FHIR Bundle: joined from the stored JSON, not parsed and written again."""

import json
from urllib.parse import quote, urlencode
from uuid import uuid4

from bb2.fhir.dates import to_instant


def searchset(query, page, base, now, included=()):
    """The JSON of a searchset Bundle (str).

    `base` is the public URL of the FHIR version, without a trailing slash; `now` is in microseconds since 1970.
    `included` are (resource type, FhirRecord) that go out beside the page's.
    """
    url = f"{base}/{query.resource.type}"
    head = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"lastUpdated": to_instant(max([now, *(record.last_updated for record in page.records)]))},
        "type": "searchset",
        "total": page.total,
        "link": [{"relation": relation, "url": link} for relation, link in _links(query, page, url)],
    }
    body = json.dumps(head, separators=(",", ":"))
    if not page.records:
        return body  # an empty array is not valid FHIR (FHIR, "JSON": arrays)
    entries = [_entry(url, record, "match") for record in page.records]
    entries += [_entry(f"{base}/{resource_type}", record, "include") for resource_type, record in included]
    return f'{body[:-1]},"entry":[{",".join(entries)}]}}'


def _entry(url, record, mode):
    return f'{{"fullUrl":{json.dumps(f"{url}/{record.id}")},"resource":{record.body},"search":{{"mode":"{mode}"}}}}'


def _links(query, page, url):
    """(relation, URL).  `next` and `previous` lead on from a record, whatever is loaded meanwhile."""

    def link(start, **cursor):
        shown = [("startIndex", start), ("_count", query.count), *cursor.items()] if query.count else []
        if not query.count and ("_summary", "count") not in query.used:
            shown = [("_count", 0)]
        return f"{url}?{urlencode([*query.used, *shown], quote_via=quote)}".removesuffix("?")

    start, end = page.span or (query.offset, query.offset + query.count)
    last = max(0, page.total - 1) // (query.count or 1) * query.count
    came_by = {name: id for name, id in (("_after", query.after), ("_before", query.before)) if id}

    yield "self", link(start, **came_by)
    if not query.count:
        return
    yield "first", link(0)
    if start > 0:
        ahead = {"_before": page.records[0].id} if page.records else {}
        yield "previous", link(max(0, min(start - query.count, last)), **ahead)
    if end < page.total:
        yield "next", link(end, **({"_after": page.records[-1].id} if page.records else {}))
    if page.total:
        yield "last", link(last)
