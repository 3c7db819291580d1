"""The documentation under /docs: the pages that were built with the package, their pictures, and a search.

What the server makes itself, of what is installed, stands there too, under routes of its own.
"""

import re
from mimetypes import guess_type

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.interfaces import IRoutesMapper
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.documentation import FIRST
from bb2.views.developer.own import render
from bb2.views.pages import PageError

HOUR = 3600  # seconds
#: A link to a page that the server makes.
MADE_HERE = re.compile(r'<a class="reference external" href="(/[^"?#]*)[^"]*">(.*?)</a>', re.DOTALL)
LONGEST_QUERY = 100  # characters; who looks for more looks for something else


@view_defaults(request_method=("GET", "HEAD"), permission=NO_PERMISSION_REQUIRED)
class Docs:
    def __init__(self, request):
        self.request, self.documentation = request, request.registry["documentation"]

    @view_config(route_name="docs")
    @view_config(route_name="docs_page")
    def page(self):
        name = self.request.matchdict.get("page", FIRST)
        if not self.documentation.pages:
            raise PageError(
                503,
                "The documentation is not here",
                "It was not built with this server. Whoever runs it can run `python build_docs.py` in the checkout.",
            )
        if name not in self.documentation.pages:
            raise HTTPNotFound
        if self.request.matchdict.get("page") == FIRST:
            raise HTTPSeeOther(self.request.route_path("docs"))
        page = self.documentation.pages[name]
        return render(self.request, "docs_page", page=page, body=MADE_HERE.sub(self._linked, page.body))

    def _linked(self, link):
        """A link, or only its words where this server has no such page: no sandbox, or no accounts for developers."""
        routes = self.request.registry.queryUtility(IRoutesMapper).get_routes()
        return link[0] if any(route.match(link[1]) is not None for route in routes) else link[2]

    @view_config(route_name="docs_search")
    def search(self):
        query = self.request.GET.get("q", "")[:LONGEST_QUERY].strip()
        return render(self.request, "docs_search", query=query, found=self.documentation.search(query))

    @view_config(route_name="docs_static")
    def file(self):
        """A picture, or a file to download: nothing but what was built."""
        name = "/".join((self.request.matchdict["folder"], *self.request.matchdict["subpath"]))
        if name not in self.documentation.files:
            raise HTTPNotFound
        kind = guess_type(name)[0] or "text/plain"
        kind = kind if kind.startswith("image/") else "text/plain"  # no page of another's making, and no script
        response = Response(self.documentation.files[name], content_type=kind, cache_control=f"max-age={HOUR}")
        if response.content_type == "text/plain":
            response.charset = "utf-8"
        return response
