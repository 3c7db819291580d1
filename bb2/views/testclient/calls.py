"""One call of an endpoint with the trial's access token: what was sent, what was answered, and where to go from there.

The address of the page is /testclient/call and, after it, the path and the query that are called.
"""

from urllib.parse import urlencode

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from bb2.views.developer.own import render
from bb2.views.pages import PageError
from bb2.views.testclient.endpoints import PLACEHOLDER, endpoint_at, filled, query_fields
from bb2.views.testclient.trials import trial_of
from bb2.views.testclient.wire import answer_to, body_of, is_text, send, shown, succeeded

#: What a browser may open as it is; whatever else was answered is saved, so that no answer runs as a page of ours.
OPENED = ("application/pdf", "image/png", "image/jpeg")
RELATIONS = {"first": "First page", "previous": "Previous page", "next": "Next page", "last": "Last page"}


@view_config(route_name="testclient_call", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def call(request):
    if PLACEHOLDER.search(request.matchdict["path"]):
        return _with_ids(request)
    endpoint, path, token = _target(request, "call")
    exchange = send(request, "GET", path, token=token)
    body, searches = body_of(exchange), endpoint is not None and endpoint.interaction == "search-type"
    return render(
        request,
        "testclient_call",
        exchange=shown(exchange),
        path=path,
        why=_why(body),
        denied=exchange["status"].startswith("403"),
        closed=exchange["status"].startswith("401"),
        has_token=token is not None,
        needs_token=endpoint is not None,
        summary=endpoint.summary if endpoint else "",
        fields=query_fields(endpoint),
        asked=request.GET,
        links=_links(request, body),
        records=_records(request, body) if succeeded(exchange) else [],
        total=body.get("total") if searches else None,
        is_file=exchange["answer"] is None and succeeded(exchange),
    )


@view_config(route_name="testclient_open", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def open_answer(request):
    """The body of the same call as it is: the whole of a long one, a picture, a document."""
    _endpoint, path, token = _target(request, "open")
    answer = answer_to(request, "GET", path, token=token)
    if is_text(answer.content_type):
        return Response(text=answer.text, content_type="text/plain", charset="utf-8")
    if answer.content_type in OPENED:
        return Response(answer.body, content_type=answer.content_type)
    return Response(answer.body, content_type="application/octet-stream", content_disposition="attachment")


def _target(request, page):
    """(the Endpoint, or None for a public document; the path with its query; the access token that goes along)"""
    try:
        endpoint = endpoint_at(request, f"/{request.matchdict['path']}")
    except KeyError:
        raise PageError(
            404,
            "Nothing can be tried at this address",
            "The test client calls the endpoints that a scope opens, and the documents that describe this server.",
            way_on=(request.route_path("testclient"), "Test client"),
        ) from None
    path, query = request.path.removeprefix(f"/testclient/{page}"), _query(request)
    return endpoint, f"{path}?{query}" if query else path, endpoint and _token(request)


def _query(request):
    """What is called with: fields that were left empty are none."""
    return urlencode([(name, value) for name, value in request.GET.items() if value.strip()])


def _with_ids(request):
    """The address with the ids that were typed in place of its placeholders."""
    template = f"/{request.matchdict['path']}"
    path = filled(template, request.GET)
    if path is None:
        raise PageError(
            400,
            "An id is missing",
            f"Type what stands in {template} between the braces. A search shows the ids that there are.",
            way_on=(request.route_path("testclient_callback"), "Back to the trial"),
        )
    return HTTPSeeOther(f"/testclient/call{path}")


def _token(request):
    token = trial_of(request).get("done", {}).get("token")
    return token and token["access_token"]


def _why(body):
    """The words of a refusal: OAuth's, or those of an OperationOutcome."""
    issues = body.get("issue") if body.get("resourceType") == "OperationOutcome" else None
    return issues[0].get("diagnostics") if issues else body.get("error_description")


def _links(request, body):
    """[(label, address)] of a Bundle's pages."""
    base_url = request.registry["settings"].base_url
    links = body.get("link") if body.get("resourceType") == "Bundle" else None
    found = {link.get("relation"): link.get("url", "") for link in links or ()}
    return [
        (label, f"/testclient/call{found[relation].removeprefix(base_url)}")
        for relation, label in RELATIONS.items()
        if relation in found
    ]


def _records(request, body):
    """[(what it is called, address)] of the records of a Bundle that can be read on their own."""
    entries = body.get("entry", ()) if body.get("resourceType") == "Bundle" else ()
    version = request.matchdict["path"].split("/")[0]
    found = [entry.get("resource", {}) for entry in entries]
    names = [f"{record.get('resourceType')}/{record.get('id')}" for record in found]
    return [(name, f"/testclient/call/{version}/fhir/{name}") for name in names]
