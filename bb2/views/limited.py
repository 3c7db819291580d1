"""Who asks too often?  A view declares `limited="token"`, and its requests are counted before anything else is done.

An app is counted together with the address that it asks from, and so is an account: client ids and user names are
no secrets, and nobody who knows one may use up what its owner is allowed.
"""

import logging
from ipaddress import ip_address, ip_network

from pyramid.view import exception_view_config
from pyramid.viewderivers import INGRESS

from bb2.limits import Limits
from bb2.oauth.authentication import named_client
from bb2.settings import WRONG_CREDENTIAL
from bb2.views.errors import is_page, page, refusal
from bb2.views.pages import PageError, _

log = logging.getLogger(__name__)
ONE_SUBSCRIBER = 64  # bits of an IPv6 address: what follows, a subscriber chooses (RFC 6177)


class TooMany(Exception):
    """A limit was reached; `wait` is a `bb2.limits.Wait`.

    `advice`: what else the person can do; `way_on`, `also`: as a PageError has it.
    """

    def __init__(self, wait, advice=None, way_on=None, also=None):
        super().__init__(f"{wait.seconds} seconds to wait")
        self.wait, self.advice, self.way_on, self.also = wait, advice, way_on, also


@exception_view_config(TooMany)
def too_many(error, request):
    """429 with `Retry-After` (RFC 6585, 4), in the shape of the place."""
    seconds = error.wait.seconds
    log.info("too many requests at %s: %d seconds to wait", request.matched_route.name, seconds)
    if is_page(request):
        response = page(request, _page_of(error))
    else:
        description = f"Too many requests from this app or address; try again in {seconds} seconds"
        response = refusal(request, 429, "temporarily_unavailable", description)
    response.headers["Retry-After"] = str(seconds)
    return response


def _page_of(error):
    minutes = -(-error.wait.seconds // 60)
    return PageError(
        429,
        _("Please wait a few minutes"),
        _("There were too many tries in a short time, so we have paused them. Nothing was shared or changed."),
        _("You can try again in ${minutes} minutes.", mapping={"minutes": minutes})
        if minutes > 1
        else _("You can try again in a minute."),
        *filter(None, [error.advice]),
        way_on=error.way_on,
        also=error.also,
    )


def limited_view(view, info):
    """A Pyramid view deriver: `limited` names the place whose limits hold, `bb2.limit_PLACE_client` and `_address`."""
    place = info.options.get("limited")
    if place is None:
        return view

    def limited(context, request):
        tries = tries_of(request, place)
        if wait := request.registry["limits"].count(tries):
            raise TooMany(wait)
        response = view(context, request)
        if response.status_int == 401:
            if "db" in vars(request):
                request.db.rollback()  # an answer like this changes nothing, and SQLite has one writer
            request.registry["limits"].count(tries, WRONG_CREDENTIAL - 1)
        return response

    return limited


limited_view.options = ("limited",)


def tries_of(request, place):
    """{key: limit} of a request to an endpoint that apps use; none where nobody can say from where it came."""
    address, settings = client_address(request), request.registry["settings"]
    if address is None:
        return {}
    tries = {(place, "address", address): getattr(settings, f"limit_{place}_address")}
    if client := _named_client(request, place):
        tries[place, "client", client, address] = getattr(settings, f"limit_{place}_client")
    return tries


def client_address(request):
    """From where a request comes: an IPv4 address, or the network of an IPv6 subscriber; None: it cannot be told.

    What a header says counts only as far as proxies wrote it that the operator trusts, from the nearest on.
    """
    trusted = request.registry["settings"].trusted_proxies
    hops = request.environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    address = _address(request.environ.get("REMOTE_ADDR", ""))
    while hops and any(address in network for network in trusted if address):
        before = _address(hops.pop())
        if before is None:
            break
        address = before
    if address is None:
        return None
    return str(address if address.version == 4 else ip_network((address, ONE_SUBSCRIBER), strict=False))


def _address(text):
    """The IP address of a text that may have a port beside it; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _named_client(request, place):
    """The client id that a request names, true or not, where the place reads it; None where it names none."""
    brought = request.params if place == "authorize" else request.POST
    form = {name: value for name, value in brought.items() if isinstance(value, str) and value}
    if place == "authorize":
        return form.get("client_id")  # nobody proves through a browser who they are
    return named_client(request.headers, form)


def includeme(config):
    config.registry["limits"] = Limits.of(config.registry["settings"], config.registry["reader"])
    config.add_view_deriver(limited_view, "limited_view", under=INGRESS, over="secured_view")
