"""Which answers can an operation give, in which shape and with which examples?"""

from bb2.fhir import operation_outcome
from bb2.openapi.errors import PAGE, oauth_error
from bb2.openapi.fhir_errors import FHIR_ERRORS
from bb2.openapi.oauth_errors import OAUTH_ERRORS
from bb2.openapi.schemas import ref

JSON, FHIR_JSON, HTML = "application/json", "application/fhir+json", "text/html"
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
CHALLENGE = {"WWW-Authenticate": {"description": "RFC 6750, 3; RFC 7235, 4.1.", "schema": {"type": "string"}}}
MEANS = {
    400: "The request cannot be answered as it is.",
    401: "Who asks is not known: no token, or one that opens nothing; or the app did not prove who it is.",
    403: "The token is good, and does not open this.",
    404: "There is no such record of this person.",
    405: "This method is not served here.",
    406: "The client takes no JSON.",
    413: "The body is too large.",
    415: "The body is no form.",
    429: "Too many requests.",
    500: "Something went wrong on our side; the request id is in the log.",
    502: "The server behind this one gave no answer that can be passed on.",
    503: "The server is busy for a moment.",
    504: "The server behind this one takes too long.",
}
HEADERS = {401: CHALLENGE, 403: CHALLENGE, 429: RETRY_AFTER, 503: RETRY_AFTER}


def answer(description, media=None, schema=None, examples=None, headers=None):
    """A Response Object.  `examples`: {name: value}."""
    made = {"description": description}
    if headers:
        made["headers"] = headers
    if media:
        content = {"schema": schema} if schema else {}
        if examples:
            content["examples"] = {name: {"value": value} for name, value in examples.items()}
        made["content"] = {media: content}
    return made


def oauth_problems(base_url, operation, *statuses):
    """{status: Response} of the errors of an OAuth endpoint, with the examples of the error index."""
    found = {}
    for status in statuses:
        examples = {
            cause.example: oauth_error(base_url, code.code, cause.shown)
            for code in OAUTH_ERRORS
            if status == code.statuses[0]
            for cause in code.causes
            if operation in cause.at
        }
        found[str(status)] = answer(MEANS[status], JSON, ref("OAuthError"), examples, HEADERS.get(status))
    return found


def outcome(base_url, code, diagnostics):
    """An OperationOutcome as this server writes it; `details` leads to the error index."""
    made = operation_outcome(code, diagnostics)
    made["issue"][0]["details"] = {"coding": [{"system": f"{base_url}{PAGE}", "code": code}]}
    return made


def fhir_problems(base_url, operation, *statuses, **gaps):
    """{status: Response} of the errors of a FHIR interaction.  `gaps`: what the examples name."""
    found = {}
    for status in statuses:
        examples = {
            cause.example: outcome(base_url, code.code, cause.shown.format(**gaps))
            for code in FHIR_ERRORS
            for cause in code.causes
            if operation in cause.at and status == FHIR_STATUS.get(cause.example, code.statuses[0])
        }
        found[str(status)] = answer(MEANS[status], FHIR_JSON, ref("OperationOutcome"), examples, HEADERS.get(status))
    return found


#: Of the examples whose code comes with several.
FHIR_STATUS = {"not_json": 406, "not_a_form": 415}


def pages(*statuses):
    """{status: Response} of what a person is told on a page."""
    return {str(status): answer(MEANS[status], HTML, headers=HEADERS.get(status)) for status in statuses}
