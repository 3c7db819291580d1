"""What does the documentation say?  The pages that build_docs.py has built, their contents, and a search over them."""

import json
import re
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

FOLDER = Path(__file__).with_name("docs_built")
ROOT = "/docs"
FIRST = "index"
#: What the server makes itself, of what is installed and how it is set: it stands in the contents too.
REFERENCE = {
    "api": "The API, to try",
    "scopes": "Scopes",
    "errors": "Errors",
    "limits": "Limits and lifetimes",
}
REFERRED = re.compile(r'(?<= )(href|src)="(?!/|#|\w+:)([^"]*)"')
TABLE = re.compile(r'<table class="docutils[^"]*">(.*?)</table>', re.DOTALL)
#: What is wider than a phone scrolls by itself, also by the keyboard.
SCROLLING = '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table class="plain">{}</table></div>'
CODE = re.compile(r'(?<=<span class="pre">)[^<]+')
JOINT = re.compile(r"(?<=[._/])(?=\w)")  # where a long name may be broken in a narrow column
TAG = re.compile(r"<[^>]+>")
#: Words around what was found.
BEFORE, AFTER = 60, 160


@dataclass(frozen=True)
class Page:
    """One page: `body` and `toc` are HTML, `text` is what it says."""

    name: str
    title: str
    body: str
    toc: str
    text: str

    @property
    def path(self):
        return path_of(self.name)


@dataclass(frozen=True)
class Found:
    page: Page
    excerpt: str


def path_of(name):
    return ROOT if name == FIRST else f"{ROOT}/{name}"


@cache
def documentation(folder=FOLDER):
    """What was built; a process reads it once."""
    return Documentation(folder)


class Documentation:
    """What stands in the folder.  `pages`: {name: Page}; `contents`: [(caption, [(path, title)])]; `files`:
    {path below the folder: bytes}, pictures and downloads.  All are empty where nothing was built."""

    def __init__(self, folder=FOLDER):
        built = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.fjson"))}
        self.pages = {name: _page(name, built[name]) for name in built}
        self.contents = _contents(built[FIRST]["contents"]) if built else []
        files = [path for path in folder.glob("_*/**/*") if path.is_file()]
        self.files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    def neighbours(self, name):
        """The pages before and after one in the contents, each (path, title) or None."""
        order = [(ROOT, "Documentation"), *(page for _caption, pages in self.contents for page in pages)]
        paths = [path for path, _title in order]
        if path_of(name) not in paths:
            return None, None
        at = paths.index(path_of(name))
        return order[at - 1] if at else None, order[at + 1] if at + 1 < len(order) else None

    def search(self, query):
        """The pages that have every word of the query, those first that have them in the title and more often."""
        words = query.casefold().split()
        found = [page for page in self.pages.values() if words and all(word in _said(page) for word in words)]
        found.sort(key=lambda page: _weight(page, words), reverse=True)
        return [Found(page, _excerpt(page.text, words[0])) for page in found]


def _page(name, built):
    body = TABLE.sub(_scrolling, REFERRED.sub(lambda found: _absolute(name, *found.groups()), built["body"]))
    title = unescape(TAG.sub("", built["title"]))
    # Without the heading, which is the title.
    said = body.split("</h1>", 1)[-1].replace("<wbr>", "")
    text = " ".join(unescape(TAG.sub(" ", said)).split())
    return Page(name, title, body, built["toc"] if built["display_toc"] else "", text)


def _scrolling(table):
    return SCROLLING.format(CODE.sub(lambda code: JOINT.sub("<wbr>", code[0]), table[1]))


def _absolute(name, attribute, reference):
    """Sphinx's links go from a folder for each page to another; ours have no slash at their end."""
    base = f"{ROOT}/" if name == FIRST else f"{ROOT}/{name}/"
    path, mark, fragment = urljoin(base, reference).partition("#")
    return f'{attribute}="{path.rstrip("/")}{mark}{fragment}"'


def _contents(parts):
    written = [(part["caption"], [(path_of(p["name"]), p["title"]) for p in part["pages"]]) for part in parts]
    made = ("Reference", [(f"{ROOT}/{name}", title) for name, title in REFERENCE.items()])
    return [*written[:1], made, *written[1:]]


def _said(page):
    return f"{page.title} {page.text}".casefold()


def _weight(page, words):
    """What is compared: is the query the title, is it in the title, how often are its words there?"""
    title, text, query = page.title.casefold(), page.text.casefold(), " ".join(words)
    return query == title, query in title, sum(20 * title.count(word) + text.count(word) for word in words)


def _excerpt(text, word):
    at = max(text.casefold().find(word), 0)
    begin = text.rfind(" ", 0, max(at - BEFORE, 0)) + 1
    return f"{'… ' if begin else ''}{text[begin : at + AFTER].rsplit(' ', 1)[0]} …"
