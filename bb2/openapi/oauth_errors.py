"""Which OAuth and OpenID Connect errors does this server send, why, and what is to be done about each?

RFC 6749, 4.1.2.1 and 5.2; and the others, of other_errors.py.
"""

from bb2.oauth.server import LEAST_STATE
from bb2.openapi.errors import Cause, Code
from bb2.openapi.other_errors import OTHER_ERRORS, SEND_ANEW

FORMS = ("token", "revoke_token", "revoke", "introspect", "pushed_request")
ONE_AUTHENTICATION = "Show who the app is in one way only: the Basic header, or client_secret, or client_assertion."

OAUTH_ERRORS = (
    Code(
        "invalid_request",
        (400, 405, 413, 303),
        "The request is put together wrongly: something is missing, doubled, or not as the standard has it.",
        (
            Cause(
                "state must have at least … characters",
                "Make a new random state for each authorization request, keep it in the person's session, and compare "
                "it when they come back.",
                "short_state",
                ("pushed_request",),
                f"state must have at least {LEAST_STATE} characters",
            ),
            Cause(
                "PKCE is needed: code_challenge is missing (RFC 7636)",
                "Every app uses PKCE here. Make a code_verifier of 43 to 128 characters, and send the base64url of its "
                "SHA-256 as code_challenge.",
                "no_pkce",
                ("authorize", "pushed_request"),
            ),
            Cause("code_challenge_method must be S256", "Send code_challenge_method=S256; plain is not served."),
            Cause(
                "code_challenge must be the base64url of a SHA-256",
                "It has 43 characters: letters, digits, - and _.",
            ),
            Cause("Missing response_type parameter.", "Send response_type=code."),
            Cause(
                "A client_secret must never be sent through a browser",
                "Take client_secret out of the authorization request, and make a new secret: this one was seen.",
            ),
            Cause("aud must be a FHIR base of this server", "Send the base URL of the FHIR version that you call."),
            Cause("… must have at most … characters", "Send less in this parameter of the authorization request."),
            Cause("state and nonce may hold no NUL", "Use letters and digits."),
            Cause("response_mode must be query", "Leave response_mode out."),
            Cause("prompt must be none alone, or of login, consent, select_account", "Mend prompt, or leave it out."),
            Cause("max_age must be a number of seconds", "Send digits only."),
            Cause(
                "id_token_hint must be an id_token of this server for this app",
                "Send the id_token that this server gave to this app, whole.",
            ),
            Cause("claims: …", "The claims parameter is JSON (OpenID Connect Core 5.5); the rest says what to mend."),
            Cause(
                "An authorization request has at most … bytes",
                "Send less to the endpoint for pushed requests.",
            ),
            Cause(
                "request_uri is what this endpoint answers; it takes none",
                "Push the parameters themselves, without request_uri.",
            ),
            Cause(
                "Parameters belong in the body of the request, not in its URL",
                "Send the form as the body of the POST, and nothing after a ? in the URL.",
                "in_the_url",
                FORMS,
            ),
            Cause(
                "The body must be application/x-www-form-urlencoded or multipart/form-data",
                "Send a form, not JSON, and name its Content-Type.",
                "not_a_form",
                FORMS,
            ),
            Cause("Duplicate … parameter.", "Send each parameter once."),
            Cause("A parameter is not text", "Send no files, and no NUL."),
            Cause("Missing grant_type parameter.", "Send grant_type=authorization_code or grant_type=refresh_token."),
            Cause("Missing code parameter.", "Send the code that came to your redirect_uri.", "no_code", ("token",)),
            Cause("Missing refresh token parameter.", "Send the refresh_token of the last token response."),
            Cause("Code verifier required.", "Send the code_verifier whose challenge began this authorization."),
            Cause("Missing redirect URI.", "Send the redirect_uri of the authorization request again, to the letter."),
            Cause(
                "Missing token parameter.",
                "Send the token that is meant as token=…",
                "no_token_parameter",
                ("revoke_token", "revoke", "introspect"),
            ),
            Cause("Two client authentication methods were used", ONE_AUTHENTICATION),
            Cause(
                "client_assertion goes with client_assertion_type=…",
                "Send both, with the type urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
            ),
            Cause("Use POST", "These endpoints answer POST only."),
            Cause("… is not served at …; use …", "Use the method that the Allow header names."),
            Cause(
                "The access token belongs in the Authorization header, not in the URL",
                "Send Authorization: Bearer … and no access_token in the query, where logs would keep it.",
                "token_in_the_url",
                ("userinfo",),
            ),
            Cause(
                "The URL is not UTF-8, or the body is not the form that it says it is",
                "Encode the URL and the body as UTF-8, each part with %XX; a multipart body needs its boundary.",
                "unreadable",
                ("document", "userinfo"),
            ),
            Cause("The request is not UTF-8", "Encode the URL as UTF-8."),
            Cause("The body is larger than … bytes", "Send less: no form here needs so much."),
        ),
    ),
    Code(
        "invalid_client",
        (401,),
        "The app did not prove who it is.",
        (
            Cause(
                "The client is unknown or switched off, or its secret is wrong or missing",
                "Compare client_id and client_secret with your app's page. In a Basic header, each of the two is "
                "form-urlencoded first. After rotating the secret, use the new one.",
                "wrong_secret",
                FORMS,
            ),
            Cause(
                "The client assertion is refused: …",
                "What follows says why: the aud, the exp (at most five minutes ahead), the jti (new each time), or the "
                "key (its kid must be among those that are registered).",
            ),
            Cause(
                "Introspection is for apps that authenticate",
                "A public app cannot introspect: it reads its token's scopes in the token response.",
            ),
        ),
    ),
    Code(
        "invalid_grant",
        (400,),
        "The code or the refresh token opens nothing: it is used, expired, ended, or not this app's.",
        (
            Cause(
                "The authorization code is unknown",
                f"It was mistyped, or given to another app. {SEND_ANEW}",
                "unknown_code",
                ("token",),
            ),
            Cause(
                "The authorization code has expired",
                f"A code lives for a minute: exchange it as soon as it comes. {SEND_ANEW}",
                "expired_code",
                ("token",),
            ),
            Cause(
                "The authorization code was used before; what it opened is closed",
                "A code counts once. Look for a page that is loaded twice, or a retry: a token that was asked for with "
                f"this code is closed too. {SEND_ANEW}",
                "used_code",
                ("token",),
            ),
            Cause("The authorization code is closed: …", f"The person's account was closed or merged. {SEND_ANEW}"),
            Cause("The authorization was ended before the code was redeemed", SEND_ANEW),
            Cause(
                "The beneficiary has since answered anew; use the newer code",
                "Two tabs were open: exchange the code that came last.",
            ),
            Cause(
                "redirect_uri is not the one of the authorization request",
                "Send the same redirect_uri to both endpoints, to the letter.",
                "other_redirect_uri",
                ("token",),
            ),
            Cause(
                "code_verifier does not fit the code_challenge of the authorization request",
                "Keep the verifier with the state, and send the one whose challenge began this authorization.",
                "wrong_verifier",
                ("token",),
            ),
            Cause("code_verifier must be 43 to 128 unreserved characters", "Make a longer one (RFC 7636, 4.1)."),
            Cause(
                "The refresh token is unknown",
                "It was mistyped, or given to another app. Keep the newest one of each person.",
                "unknown_refresh_token",
                ("token",),
            ),
            Cause("The refresh token was revoked", SEND_ANEW),
            Cause(
                "The refresh token was used before; every token of this authorization is closed",
                "Each refresh brings a new refresh token, and the old one must not be sent again: keep the new one "
                "before anything else, and let one process at a time refresh. " + SEND_ANEW,
                "used_refresh_token",
                ("token",),
            ),
            Cause(
                "The refresh token is closed: …",
                f"What follows says why: who ended the consent, or when it ended. {SEND_ANEW}",
            ),
            Cause(
                "The app is registered for nothing of what was granted any more",
                "Look at the scopes on your app's page. " + SEND_ANEW,
            ),
        ),
    ),
    Code(
        "invalid_scope",
        (400, 303),
        "The app may not have these scopes.",
        (
            Cause(
                "… is not a scope of this server",
                "Compare the name with the list of scopes; they are spelt exactly so.",
                "unknown_scope",
                ("authorize", "pushed_request"),
                "patient/Nothing is not a scope of this server",
            ),
            Cause("… is not a scope of this server: it has no such resource type", "Ask for a type of the list."),
            Cause(
                "… is not granted here: this server gives access to one person's own records, by patient/ scopes",
                "Ask for patient/ scopes in place of user/ and system/.",
            ),
            Cause("… is not granted here: name each resource type in a scope of its own", "Ask for no patient/*."),
            Cause(
                "… is not granted here: records can be read and searched, by .read, .rs, .r or .s, spelt like this",
                "Ask for nothing that writes.",
            ),
            Cause(
                "… is a finer-grained scope, not granted here: ask without the ? and what follows, and search by it",
                "Ask for the whole type, and search for what you need.",
            ),
            Cause("The app is not registered for …", "Add the scope on your app's page; people are then asked for it."),
            Cause(
                "The app may have none of these scopes: it is not registered for them, they are deprecated, or they "
                "are demographic and it asks for no demographic information",
                "Look at your app's page: its scopes, and whether it needs demographic information.",
            ),
            Cause(
                "A refresh cannot have more scopes than were granted",
                "Leave scope out to keep what was granted, or name some of it.",
                "wider_refresh",
                ("token",),
            ),
        ),
    ),
    Code(
        "unauthorized_client",
        (400,),
        "This app may not use this grant.",
        (Cause("", "Apps with one-time access get no refresh tokens: send the person through authorization again."),),
    ),
    Code(
        "unsupported_grant_type",
        (400,),
        "The token endpoint knows authorization_code and refresh_token.",
        (
            Cause(
                "grant_type must be authorization_code or refresh_token",
                "Send one of the two. There is no grant without a person, as access is theirs to give.",
                "other_grant_type",
                ("token",),
            ),
        ),
    ),
    Code(
        "unsupported_response_type",
        (400, 303),
        "The authorization endpoint answers codes.",
        (
            Cause(
                "response_type must be code",
                "Send response_type=code; the implicit and hybrid flows are not served.",
                "other_response_type",
                ("authorize",),
            ),
        ),
    ),
    *OTHER_ERRORS,
)
