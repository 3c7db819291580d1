"""How Sphinx builds the documentation; ../build_docs.py runs it, and ../bb2/documentation.py shows what comes out."""

from sphinx.addnodes import toctree

project = "bb2"
extensions = ["myst_parser"]
exclude_patterns = ["examples"]
highlight_language = "none"
nitpicky = True
html_copy_source = False
html_permalinks = False
smartquotes = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
#: `[the errors](site:/docs/errors)` is a page that the server makes itself.
myst_url_schemes = {"http": None, "https": None, "mailto": None, "site": "{{path}}"}


def contents(app, _page, _template, context, _doctree):
    """Beside every page: the parts of the documentation, and the pages of each."""
    parts = app.env.get_doctree(app.config.root_doc).findall(toctree)
    context["contents"] = [
        {
            "caption": part["caption"],
            "pages": [
                {"name": name, "title": title or app.env.titles[name].astext()} for title, name in part["entries"]
            ],
        }
        for part in parts
    ]


def setup(app):
    app.connect("html-page-context", contents)
