"""Where does a developer go once they are signed in?  To the page that they wanted, if it is one of theirs."""

import re

from pyramid.httpexceptions import HTTPSeeOther

#: A path of the developers' pages on this server, and nothing that a browser could take for another host's.
OURS = re.compile(r"/(?:developer|testclient)(?:/[\w-]+)*(?:\?[\w=&%.+~-]*)?", re.ASCII)


def wanted(request):
    """The page that the request names as `next`; "" for none, and for whatever is not one of the developers'."""
    path = request.params.get("next")
    return path if isinstance(path, str) and OURS.fullmatch(path) else ""


def way_on(request):
    return HTTPSeeOther(wanted(request) or request.route_path("developer"))


def leading_on(request, route, **parts):
    """The path of a page on the way to a sign-in: what was wanted goes along."""
    return request.route_path(route, _query={"next": path} if (path := wanted(request)) else None, **parts)
