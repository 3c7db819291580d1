"""Which errors are not of RFC 6749 itself: of a person who must be asked, of access tokens, of the server?

RFC 6750, 3.1; RFC 8707, 2; OpenID Connect Core 3.1.2.6.
"""

from bb2.openapi.errors import Cause, Code

SEND_ANEW = "Send the person through authorization again."
TRY_LATER = "Try again after the seconds of the Retry-After header, then less and less often."

OTHER_ERRORS = (
    Code(
        "invalid_target",
        (400, 303),
        "resource (or aud) names something else than a FHIR base of this server that was granted.",
        (
            Cause(
                "resource must be a FHIR base of this server", "Send the base URL of the FHIR version that you call."
            ),
            Cause("aud and resource must name the same FHIR base", "Send one of the two."),
            Cause(
                "resource is not a FHIR base that was granted",
                "Name the base of the authorization request, or leave resource out.",
            ),
        ),
    ),
    Code(
        "access_denied",
        (303,),
        "The person said No, or went back. This is an answer, not a fault.",
        (
            Cause(
                "The beneficiary did not approve access",
                "Tell the person that nothing was shared, and let them try again when they want to.",
            ),
        ),
    ),
    Code(
        "login_required",
        (303,),
        "prompt=none, or a person who was named, asks for a sign-in that is not there.",
        (
            Cause("", "Send the person without prompt=none: they sign in.", "not_signed_in", ("authorize",)),
            Cause("The person whom the app names has no account here", "Leave id_token_hint and claims out."),
            Cause(
                "Another person signed in than the one whom the app names",
                "Ask the person which account they mean, or leave id_token_hint and claims out.",
            ),
        ),
    ),
    Code(
        "consent_required",
        (303,),
        "prompt=none, and the person has to be asked. Here they always are.",
        (Cause("", "Send the person without prompt=none."),),
    ),
    Code(
        "request_not_supported",
        (400, 303),
        "Request objects are not read.",
        (Cause("The request parameter is not supported.", "Send the parameters themselves, or push them first."),),
    ),
    Code(
        "request_uri_not_supported",
        (400, 303),
        "Only a request_uri of our own endpoint for pushed requests is read.",
        (
            Cause(
                "The request_uri parameter is not supported.",
                "Push the request to this server first.",
            ),
        ),
    ),
    Code(
        "registration_not_supported",
        (400, 303),
        "Apps are registered on the developer pages.",
        (Cause("The registration parameter is not supported.", "Leave registration out."),),
    ),
    Code(
        "unmet_authentication_requirements",
        (303, 400),
        "The app insists on a kind of sign-in that this server does not offer.",
        (Cause("This server offers no acr", "Leave acr out of claims, or do not make it essential."),),
    ),
    Code(
        "invalid_token",
        (401,),
        "The access token opens nothing. The description says why, and FHIR says it as an OperationOutcome with code "
        "login.",
        (
            Cause(
                "An access token is needed",
                "Send Authorization: Bearer … with the access_token of the token response.",
                "no_token",
                ("userinfo",),
            ),
            Cause("An access token is needed: Authorization: Bearer …", "The header names another scheme than Bearer."),
            Cause("The access token is malformed", "Send the access_token as it came: no spaces, no commas."),
            Cause(
                "The access token is unknown",
                "It is mistyped, of another server, or was taken out long after its end.",
                "unknown_token",
                ("userinfo",),
            ),
            Cause(
                "The access token has expired; get a new one with the refresh token",
                "Refresh when expires_in is nearly over, or at this answer.",
                "expired_token",
                ("userinfo",),
            ),
            Cause("The access token was revoked", f"Your app revoked it. {SEND_ANEW}"),
            Cause(
                "The access token is closed: …. Ask the beneficiary to connect again",
                f"The consent has ended; what follows says how. {SEND_ANEW}",
            ),
            Cause(
                "The access token is closed: …. It cannot be opened again",
                "The person's account was closed, or merged with another.",
            ),
            Cause(
                "The app is switched off; its developer can ask this service why",
                "Look at your app's page, and write to us if it was not you.",
            ),
            Cause(
                "The access token is for …, not for this FHIR base",
                "It was asked for with aud or resource: call that base, or leave both out.",
            ),
        ),
    ),
    Code(
        "insufficient_scope",
        (403,),
        "The token is good and does not open this. FHIR says it as an OperationOutcome with code forbidden.",
        (
            Cause(
                "The beneficiary did not share their demographic information (…); to ask again, send them through "
                "authorization once more",
                "Go on without it: this is the person's choice. If your app cannot, tell them what it is for before "
                "you ask again.",
                "not_shared",
                ("userinfo",),
            ),
            Cause(
                "This app is not registered to ask for demographic information (…)",
                "If your app needs it, say so on your app's page; people are then asked.",
            ),
            Cause(
                "The app did not ask for demographic information; one of these scopes is needed: …",
                "Ask for one of these scopes.",
            ),
            Cause(
                "The beneficiary left this out (…); to ask again, send them through authorization once more",
                "Go on without it: this is the person's choice.",
            ),
            Cause("One of these scopes is needed: …", "Ask for one of them; the header's scope names them too."),
            Cause("No scope opens this", "There is nothing here for apps."),
            Cause(
                "… names another person than the one who granted this access token",
                "Each token is for one person: leave patient and beneficiary out, or name the token's own patient.",
            ),
        ),
    ),
    Code(
        "not_found",
        (404,),
        "There is nothing at this address.",
        (Cause("There is nothing at …", "Compare the URL with the documents of discovery."),),
    ),
    Code(
        "server_error",
        (500, 303),
        "Something went wrong on our side; nothing was shared or changed.",
        (
            Cause(
                "Something went wrong on our side; request id …",
                "Try again once. If it stays, send us the request id: it is in our log.",
            ),
        ),
    ),
    Code(
        "temporarily_unavailable",
        (429, 503, 303),
        "Too many requests, or the server is busy for a moment.",
        (
            Cause("Too many requests from this app or address; try again in … seconds", TRY_LATER),
            Cause("The database does not answer; try again", TRY_LATER),
        ),
    ),
)
