"""Which issue codes do the OperationOutcomes of this server carry, why, and what is to be done about each?

The codes are of http://hl7.org/fhir/issue-type.
"""

from bb2.openapi.errors import Cause, Code

READ, SEARCH = ("read",), ("search", "search_by_post")
BOTH = (*READ, *SEARCH)
THEIR_SERVER = "The records are in another server behind this one. Try again later, less and less often."

FHIR_ERRORS = (
    Code(
        "invalid",
        (400,),
        "The request is put together wrongly.",
        (
            Cause(
                "…=… is not accepted; accepted: …",
                "The sentence names the parameter, what was sent, and what would do.",
                "bad_value",
                SEARCH,
                "_lastUpdated=yesterday is not accepted; accepted: 2024, 2024-06, 2024-06-30 or "
                "2024-06-30T12:00:00Z, after nothing or one of eq, lt, le, gt, ge",
            ),
            Cause("… has a value that is not text; accepted: text", "Send no files, and no NUL."),
            Cause(
                "The access token belongs in the Authorization header, not in the URL",
                "Send Authorization: Bearer … and no access_token in the query, where logs would keep it.",
                "token_in_the_url",
                BOTH,
            ),
            Cause(
                "The URL is not UTF-8, or the body is not the form that it says it is",
                "Encode the URL and the body as UTF-8.",
            ),
            Cause("The request is not UTF-8", "Encode the URL as UTF-8."),
        ),
    ),
    Code(
        "login",
        (401,),
        "The access token is missing, or opens nothing: see invalid_token, whose causes these are.",
        (
            Cause("An access token is needed", "Send Authorization: Bearer … with the access_token.", "no_token", BOTH),
            Cause(
                "The access token is unknown",
                "Send the access_token of the last token response, as it came.",
                "unknown_token",
                BOTH,
            ),
            Cause(
                "The access token has expired; get a new one with the refresh token",
                "Refresh, and send the request again.",
                "expired_token",
                BOTH,
            ),
            Cause(
                "The access token is closed: …. Ask the beneficiary to connect again",
                "The consent has ended: send the person through authorization again.",
                "ended_consent",
                BOTH,
                "The access token is closed: the consent was ended by the beneficiary. Ask the beneficiary to connect "
                "again",
            ),
        ),
    ),
    Code(
        "forbidden",
        (403,),
        "The token is good and does not open this: see insufficient_scope, whose causes these are.",
        (
            Cause("…", "The sentence names the scopes that would do; WWW-Authenticate has them too."),
            Cause(
                "… names another person than the one who granted this access token",
                "Leave patient and beneficiary out, or name the token's own patient.",
            ),
        ),
    ),
    Code(
        "not-found",
        (404,),
        "There is no such record of this person. Another person's record and one that does not exist are told alike.",
        (
            Cause(
                "There is no such … of this person",
                "Take ids from a search with the same token. A person may have left some records out.",
                "no_such_record",
                READ,
                "There is no such {type} of this person",
            ),
            Cause("There is nothing at …", "Compare the URL with the CapabilityStatement at metadata."),
        ),
    ),
    Code(
        "not-supported",
        (400, 404, 405, 406, 415),
        "FHIR has it and this server does not.",
        (
            Cause(
                "… is not served; accepted: …",
                "Ask for JSON, by Accept or _format.",
                "not_json",
                (*BOTH, "metadata"),
                "_format=xml is not served; accepted: json, application/json, application/fhir+json, "
                "application/json+fhir, text/json",
            ),
            Cause(
                "… is not read; accepted: …",
                "Send the parameters of _search as a form.",
                "not_a_form",
                ("search_by_post",),
                "application/json is not read; accepted: application/x-www-form-urlencoded, multipart/form-data",
            ),
            Cause("… is not served at …; use …", "Use the method that the Allow header names."),
            Cause("There are no records in version … of this API", "Use the other version."),
            Cause(
                "unknown search parameter: …; accepted: …",
                "Leave the parameter out, or ask without Prefer: handling=strict.",
            ),
        ),
    ),
    Code(
        "too-costly",
        (400,),
        "The search has too many values.",
        (Cause("… values to search by; accepted: … in one search", "Search in parts."),),
    ),
    Code(
        "too-long",
        (413,),
        "The body is too large.",
        (Cause("The body is larger than … bytes", "Search in parts."),),
    ),
    Code(
        "throttled",
        (429,),
        "Too many requests.",
        (Cause("…", "Wait for the seconds of the Retry-After header."),),
    ),
    Code(
        "processing",
        (400, 415),
        "The request cannot be answered; the sentence beside it says why.",
        (Cause("…", "Mend what the sentence names."),),
    ),
    Code(
        "exception",
        (500,),
        "Something went wrong on our side.",
        (
            Cause(
                "Something went wrong on our side; request id …",
                "Try again once. If it stays, send us the request id: it is in our log.",
            ),
        ),
    ),
    Code(
        "transient",
        (502, 503),
        "The server is busy for a moment, or the one behind it does not answer as it should.",
        (
            Cause("The database does not answer; try again", "Try again after the seconds of the Retry-After header."),
            Cause(
                "The server that holds the records gave no answer that can be passed on; try again later", THEIR_SERVER
            ),
        ),
    ),
    Code(
        "timeout",
        (504,),
        "The server behind this one took too long.",
        (
            Cause(
                "The server that holds the records takes too long; try again later",
                f"{THEIR_SERVER} Ask for less: a smaller _count.",
            ),
        ),
    ),
)
