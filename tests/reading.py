"""What does a page say, in its own language?  And how hard is its English to read?"""

import re

from bs4.element import CData, NavigableString, Tag

#: What every language writes alike: the names of the walk (walk.py), and what only machines say.
NAMES = ("Blue Button", "Carely", "MyHealth", "Alice Doe", "Bob Doe", "Carol Núñez-O'Hara Jr.")
DATE = r"[A-Z][a-z]+ \d{1,2}, \d{4}|\d{1,2} de [a-z]+ de \d{4}"
MACHINES = r"\S*(?:\d|[\w)][.@/][\w(])\S*|\bGET\b|\bTX\b|\bC\b"  # numbers, addresses; a method, a state, a logo
DATA = re.compile("|".join([*map(re.escape, NAMES), DATE, MACHINES]))
LETTER = re.compile(r"[^\W\d_]")
READ_OUT = ("aria-label", "aria-description", "alt", "title", "placeholder")  # attributes
WRITTEN = (NavigableString, CData)  # and no comment
BUTTONS = ("submit", "button", "reset")  # types of inputs that show their value
WIRE = ("pre", "script", "style")  # what machines read
HEADINGS = ("h1", "h2", "h3")
BLOCKS = "p, li, dt, dd, div, label, legend, summary, caption, th, td, form, br, li > b, li > b + span"
SENTENCE = re.compile(r"[^.?!:]*[^\s.?!:][.?!](?=\s|$)|[^.?!:]*:")
SILENT = re.compile(r"(?:[^laeiouy]e|es|[^td]ed)$")


def own(element, language):
    """What is in an element, in its order: texts and elements, but nothing in another language or for machines."""
    for each in element.children:
        if isinstance(each, NavigableString):
            yield each
        elif each.name not in WIRE and each.get("lang", language) == language:
            yield each
            yield from own(each, language)


def texts(html):
    """Each text of a page, seen or read out, without its names, numbers and dates; what is nothing else, is no text."""
    found = []
    for each in own(html, html.html["lang"]):
        if type(each) in WRITTEN:
            found.append(each)
        elif isinstance(each, Tag):
            found += [each[name] for name in READ_OUT if each.has_attr(name)]
            found += [each["value"]] if each.name == "input" and each.get("type") in BUTTONS else []
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
    main = page.html.main
    blocks = {id(block) for block in main.select(BLOCKS)}
    lines = (_plain(line).replace(" .", ".") for line in _said(main, page.html.html["lang"], blocks).splitlines())
    found = [sentence.strip() for line in lines for sentence in SENTENCE.findall(line)]
    return [sentence for sentence in found if len(sentence.split()) > 2]


def _said(element, language, blocks):
    """What is in an element, with the blocks (their ids) on lines of their own."""
    if isinstance(element, NavigableString):
        return re.sub(r"\s+", " ", element) if type(element) in WRITTEN else ""
    if element.name in (*WIRE, *HEADINGS) or element.get("lang", language) != language:
        return ""
    said = "".join(_said(each, language, blocks) for each in element.children)
    return f"\n{said}\n" if id(element) in blocks else said


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
