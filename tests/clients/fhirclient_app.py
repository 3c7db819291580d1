"""fhirclient, the SMART client for Python: discovery in the CapabilityStatement, records as strict models.

It checks state, and has no revocation of its own.
"""

from fhirclient.client import FHIRClient
from fhirclient.models.coverage import Coverage
from fhirclient.models.explanationofbenefit import ExplanationOfBenefit
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRPermissionDeniedException, FHIRUnauthorizedException


def fhirclient_app(settings):
    client = FHIRClient(
        {
            "app_id": settings["client_id"],
            "app_secret": settings["client_secret"],
            "api_base": settings["fhir"],
            "redirect_uri": settings["redirect_uri"],
            "scope": settings["scope"],  # to which the library adds launch/patient, once more
        }
    )
    callback_url = yield client.authorize_url
    client.handle_callback(callback_url)
    token, server = client.launch_context, client.server

    statuses = {
        "Patient": _status(lambda: Patient.read(client.patient_id, server)),
        "Coverage": _status(lambda: _found(Coverage, server)),
        "ExplanationOfBenefit": _status(lambda: _found(ExplanationOfBenefit, server)),
        "userinfo": _status(lambda: server.request_json(settings["urls"]["userinfo"])),
    }
    client.reauthorize()
    refreshed = client.launch_context
    status_after_refresh = _status(lambda: _found(Coverage, server))
    server.post_as_form(
        f"{settings['issuer']}/v2/o/revoke_token/",
        {"token": server.auth.refresh_token, "client_id": settings["client_id"]},
        settings["client_secret"] and (settings["client_id"], settings["client_secret"]),
    )
    return {
        "token": token,
        "statuses": statuses,
        "refreshed": refreshed,
        "status_after_refresh": status_after_refresh,
        "status_after_revocation": _status(lambda: _found(Coverage, server)),
    }


def _found(kind, server):
    """Every record of a kind; the library follows the links from page to page."""
    return list(kind.where({}).perform_resources_iter(server))


def _status(read):
    """200 when something was read, else the status of the library's exception."""
    try:
        assert read()
    except (FHIRPermissionDeniedException, FHIRUnauthorizedException) as error:
        return error.response.status_code
    return 200
