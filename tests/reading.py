"""What does a page say, in its own language?  And how hard is its English to read?"""

import re
from copy import copy

from bs4.element import CData, NavigableString

#: What every language writes alike: the names of the walk (walk.py), and what only machines say.
NAMES = ("Blue Button", "Carely", "MyHealth", "Alice Doe", "Bob Doe", "Carol Núñez-O'Hara Jr.")
DATE = r"[A-Z][a-z]+ \d{1,2}, \d{4}|\d{1,2} de [a-z]+ de \d{4}"
MACHINES = r"\S*(?:\d|[\w)][.@/][\w(])\S*|\bGET\b|\bTX\b|\bC\b"  # numbers, addresses; a method, a state, a logo
DATA = re.compile("|".join([*map(re.escape, NAMES), DATE, MACHINES]))
LETTER = re.compile(r"[^\W\d_]")
READ_OUT = ("aria-label", "aria-description", "alt", "title", "placeholder")  # attributes
BLOCKS = "p, li, dt, dd, div, label, legend, summary, caption, th, td, form, br, li > b, li > b + span"
SENTENCE = re.compile(r"[^.?!:]*[^\s.?!:][.?!](?=\s|$)|[^.?!:]*:")
SILENT = re.compile(r"(?:[^laeiouy]e|es|[^td]ed)$")


def own(html):
    """A copy without what is in another language, or goes over the wire."""
    html = copy(html)  # which WebTest keeps
    language = html.html["lang"]
    foreign = [element for element in html.find_all(lang=True) if element["lang"] != language]
    for element in [*foreign, *html.find_all(["pre", "script", "style"])]:
        element.decompose()
    return html


def texts(html):
    """Each text of a page, seen or read out, without its names, numbers and dates; what is nothing else, is no text."""
    html = own(html)
    found = [text for text in html.find_all(string=True) if type(text) in (NavigableString, CData)]
    found += [element[name] for name in READ_OUT for element in html.find_all(attrs={name: True})]
    found += [element["value"] for element in html.find_all("input", type=["submit", "button", "reset"])]
    return {text for text in map(_plain, found) if LETTER.search(text)}


def untranslated(english, spanish):
    """The texts that are the same in both."""
    return sorted(texts(english) & texts(spanish))


def _plain(text):
    return " ".join(DATA.sub("", " ".join(text.split())).split())


def words(page):
    """The words of a page that are in its own language."""
    return set(re.findall(r"\b[^\W\d_]+\b", " ".join(texts(page.html)).lower()))


def sentences(page):
    """The whole sentences of a page's main part, without headings, names and numbers."""
    main = own(page.html).main
    for heading in main.find_all(["h1", "h2", "h3"]):
        heading.decompose()
    for text in main.find_all(string=True):
        text.replace_with(re.sub(r"\s+", " ", text))
    for block in main.select(BLOCKS):
        block.insert(0, "\n")
        block.append("\n")
    lines = (_plain(line).replace(" .", ".") for line in main.get_text().splitlines())
    found = [sentence.strip() for line in lines for sentence in SENTENCE.findall(line)]
    return [sentence for sentence in found if len(sentence.split()) > 2]


def syllables(word):
    word = word.lower()
    return max(1, len(re.findall(r"[aeiouy]+", SILENT.sub("", word))))


def grade(text):
    """The grade of a school in the United States in which a text is understood, after Flesch and Kincaid.

    Syllables are counted by their vowels: no dictionary must be fetched for it, and it errs to the hard side.
    """
    parts = [part for part in re.split(r"[.!?:]\s|\n", f"{text} ") if re.search(r"[A-Za-z]", part)]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / len(parts) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
