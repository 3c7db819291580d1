"""The Spanish catalog: whole, current, compiled, and with the same gaps to fill in as the English."""

import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup, NavigableString

import bb2.scopes
from bb2.scopes import Words
from bb2.settings import Settings
from reading import READ_OUT

PACKAGE = Path(bb2.__file__).parent
CATALOG = PACKAGE / "locale/es/LC_MESSAGES/bb2.po"
NOT_BARE = re.compile(r"\{#.*?#\}|\{%-?\s*trans\b.*?endtrans\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
GAPS = re.compile(r"\$\{\w+\}|%\(\w+\)s|</?\w[^>]*>")


@pytest.fixture(scope="module")
def spanish():
    with CATALOG.open("rb") as file:
        return read_po(file, locale="es", domain="bb2", abort_invalid=True)


@pytest.fixture(scope="module")
def messages(spanish):
    """{English: Message}"""
    return {message.id: message for message in spanish if message.id}


@pytest.fixture(scope="module")
def sources():
    """Every message of the templates and the views."""
    with (PACKAGE.parent / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    return {found[2] for found in extract_from_dir(PACKAGE, methods, options)}


def test_every_message_of_the_sources_is_in_the_catalog(messages, sources):
    assert sources - set(messages) == set()


def test_the_catalog_has_no_message_that_the_sources_have_not(spanish, messages, sources):
    assert set(messages) - sources == set()
    assert not spanish.obsolete


def test_every_message_is_translated_and_none_is_a_guess(messages):
    assert [english for english, message in messages.items() if message.fuzzy] == []
    assert [english for english, message in messages.items() if message.string in ("", english)] == []


def test_placeholders_and_markup_are_the_same_in_both_languages(messages):
    for english, message in messages.items():
        assert Counter(GAPS.findall(english)) == Counter(GAPS.findall(message.string)), english


def test_the_compiled_catalog_is_what_the_catalog_compiles_to(messages):
    with CATALOG.with_suffix(".mo").open("rb") as file:
        compiled = {message.id: message.string for message in read_mo(file) if message.id}
    assert compiled == {english: message.string for english, message in messages.items()}


def bare_words(source):
    """What a template says itself, in no `trans` and no expression: nobody can translate it."""
    html = BeautifulSoup(NOT_BARE.sub("", source), "html.parser")
    for element in [*html.find_all(lang="en"), *html.find_all("pre")]:  # for developers, and what the wire carries
        element.decompose()
    said = [text for text in html.find_all(string=True) if type(text) is NavigableString]
    said += [element[name] for name in READ_OUT for element in html.find_all(attrs={name: True})]
    return [text.strip() for text in said if re.search(r"(?<!@)\b[^\W\d_]{2}", text)]  # @account: a mail's link


def test_no_template_says_anything_that_cannot_be_translated():
    for_people = [path for path in (PACKAGE / "templates").rglob("*.jinja2") if path.parent.name != "developer"]
    sources = {path.name: path.read_text(encoding="utf-8") for path in for_people}
    assert {name: words for name, source in sources.items() if (words := bare_words(source))} == {}


@pytest.mark.parametrize(
    "planted", ["<p>Stop</p>", '<img alt="A cat">', "{% if ended %}Over{% endif %}", "<b>Until {{ date }}</b>"]
)
def test_what_a_template_says_itself_is_found(planted):
    whole = '{# Words #}<p title="{% trans %}Stop{% endtrans %}" lang="{{ language }}">{% trans a=b %}Go{% endtrans %}'
    assert bare_words(whole) == []
    assert len(bare_words(whole + planted)) == 1


def declared_words(plugin):
    """Every word that a plugin says to a beneficiary."""
    scopes = getattr(plugin, "register_scopes", list)()
    yield from (words for scope in (scopes if isinstance(scopes, list) else [scopes]) for words in _words_of(scope))
    if hasattr(plugin, "register_sensitivities"):
        asked = plugin.register_sensitivities(Settings.read({}, {}))
        yield from (asked.name, asked.question, asked.detail, asked.share, asked.withhold)


def _words_of(scope):
    return filter(None, (scope.consent, scope.detail))


PLUGINS = [module.name for module in iter_modules(bb2.scopes.__path__) if not module.name.startswith("_")]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_built_in_scope_has_spanish_words(plugin):
    said = list(declared_words(import_module(f"bb2.scopes.{plugin}")))
    assert said
    for words in said:
        assert isinstance(words, Words), words
        assert words.in_language("es") not in ("", words), words
