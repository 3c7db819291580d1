"""Can the request be read at all?  What no parser takes is refused once, before any view reads it."""

import re

from pyramid.httpexceptions import HTTPBadRequest

CHARSET = re.compile(r";\s*charset=[^;]*", re.IGNORECASE)


def readable_tween_factory(handler, registry):
    """Leave out what WebOb would stumble over: forms are UTF-8 whatever they say, and odd cookies are none of ours."""

    def readable_tween(request):
        environ = request.environ
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        try:
            request.cookies.get("")
        except UnicodeDecodeError:
            del environ["HTTP_COOKIE"]
        return handler(request)

    return readable_tween


def refuse_unreadable(event):
    """400 in the shape of the place for a query or a form that cannot be read."""
    request = event.request
    try:
        _query, _form = request.GET, request.POST
    except (ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        # The page that says so reads the request too, and finds nothing.
        request.environ |= {"QUERY_STRING": "", "CONTENT_TYPE": "application/octet-stream"}
        raise HTTPBadRequest("The URL is not UTF-8, or the body is not the form that it says it is") from error


def includeme(config):
    config.add_tween("bb2.views.readable.readable_tween_factory")
    config.add_subscriber(refuse_unreadable, "pyramid.events.NewRequest")
