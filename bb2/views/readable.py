"""Can the request be read at all?  What no parser takes is refused once, before any view reads it."""

import re

from pyramid.httpexceptions import HTTPBadRequest, HTTPRequestEntityTooLarge

from bb2.bounds import MOST_BODY, MOST_LETTERS

UPLOAD = re.compile(r"/developer/apps/[0-9a-f]{40}/logo")  # but for the one that takes a file
MOST_UPLOAD = 1_000_000  # bytes of it: enough that the page itself can say that a picture is too large
DATES = ("if_modified_since", "if_unmodified_since", "if_range")  #: headers, as WebOb calls them
CHARSET = re.compile(r";\s*charset=[^;]*", re.IGNORECASE)


class UploadTooLarge(Exception):
    """Of the form that takes a file, more was sent than is read."""


def readable_tween_factory(handler, registry):
    """Leave out what WebOb would stumble over: forms are UTF-8 whatever they say, and odd cookies are none of ours.

    So are dates outside the years that Python knows; a file is answered after all views, where nothing would catch it.
    """

    def readable_tween(request):
        environ = request.environ
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        try:
            request.cookies.get("")
        except UnicodeDecodeError:
            del environ["HTTP_COOKIE"]
        for name in DATES:
            try:
                getattr(request, name)
            except (ValueError, OverflowError):
                del environ[f"HTTP_{name.upper()}"]
                environ.pop("HTTP_RANGE", None)  # the whole is right on any condition
        return handler(request)

    return readable_tween


def refuse_unreadable(event):
    """400 in the shape of the place for a query or a form that cannot be read."""
    request = event.request
    uploads = UPLOAD.fullmatch(request.environ.get("PATH_INFO", ""))
    if not 0 <= (request.content_length or 0) <= (MOST_UPLOAD if uploads else MOST_BODY):
        _forget_body(request)
        if uploads:
            raise UploadTooLarge
        raise HTTPRequestEntityTooLarge(f"The body is larger than {MOST_BODY} bytes")
    request.request_body_tempfile_limit = MOST_UPLOAD  # WebOb would write 10 KB to a file, and leave that open
    try:
        query, form = request.GET, request.POST
        if None in form:
            raise ValueError("a part without a name")
        if any(map(_is_endless, [*query.values(), *form.values()])):
            raise ValueError("a value that is too long")
    except (ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        request.environ["QUERY_STRING"] = ""
        _forget_body(request)
        raise HTTPBadRequest("The URL is not UTF-8, or the body is not the form that it says it is") from error


def _is_endless(value):
    return isinstance(value, str) and len(value) > MOST_LETTERS and not value.isascii()


def _forget_body(request):
    """The page that says what is wrong reads the request too, and finds nothing."""
    request.environ["CONTENT_TYPE"] = "application/octet-stream"


def includeme(config):
    config.add_tween("bb2.views.readable.readable_tween_factory")
    config.add_subscriber(refuse_unreadable, "pyramid.events.NewRequest")
