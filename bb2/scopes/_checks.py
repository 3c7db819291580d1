"""What can be said in a declaration, and what is refused in each?"""

from dataclasses import fields
from re import fullmatch, sub
from typing import get_origin

#: API version -> (name of the FHIR release, `CapabilityStatement.fhirVersion`)
API_VERSIONS = {"v1": ("STU3", "3.0.2"), "v2": ("R4", "4.0.1")}
#: `insurance.coverage`: `occurrence[x]` or `note ` would be found in no record, and so taken out of none.
ELEMENT_PATH = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
URL_PATH = r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*/?"  #: whose `{placeholders}` are a letter
PLACEHOLDER = r"\{(?!version\b)[A-Za-z_]\w*(:[^{}]+)?\}"
MEDIA_TYPE = r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*(; ?[\w-]+=[\w.-]+)*"  # RFC 6838, 4.2
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class ScopeError(Exception):
    """A plugin declares something that cannot be offered; the application does not start."""


class Words(str):
    """Words in English that bring their other languages along: `Words("Your claims", es="Sus reclamos")`."""

    def __new__(cls, english, **translations):
        words = super().__new__(cls, english)
        words.translations = translations
        return words

    def in_language(self, language):
        """The words in this language (`es`), or in English where there is no translation."""
        return self.translations.get(language, str(self))


def refuse_empty_words(words, problem):
    """Every language of these words says something."""
    for said in (words, *getattr(words, "translations", {}).values()):
        if not isinstance(said, str) or not said.strip():
            raise ScopeError(problem)


def refuse_forgotten_commas(declared):
    """`("subscriberId")` is no tuple but a word, and would be read letter by letter."""
    for field in fields(declared):
        if get_origin(field.type) is tuple and not isinstance(getattr(declared, field.name), tuple):
            named = next(getattr(declared, name) for name in ("key", "name", "type", "path") if hasattr(declared, name))
            raise ScopeError(f"{named}: {field.name} must be a tuple, with a comma: (…,)")


def refuse_unknown_versions(declared, named):
    if not declared.versions or not set(declared.versions) <= set(API_VERSIONS):
        raise ScopeError(f"{named}: versions are {declared.versions}; accepted: {', '.join(API_VERSIONS)}")


def refuse_odd_elements(named, field, paths):
    """Each is a dotted path of elements, as a record has them."""
    for path in paths:
        if not isinstance(path, str) or not fullmatch(ELEMENT_PATH, path):
            raise ScopeError(
                f"{named}: {field} has {path!r}; accepted: names of elements as a record has them, with dots between "
                "(onsetDateTime, not onset[x])"
            )


def refuse_odd_endpoint(path, methods, media_types):
    """What no request could reach, and no document describe."""
    if not fullmatch(URL_PATH, sub(PLACEHOLDER, "x", path)):
        raise ScopeError(f"the path of an endpoint is {path!r}; accepted: such as insurance/card.{{format}}")
    if not methods or not set(methods) <= set(METHODS):
        raise ScopeError(f"{path} has the methods {methods}; accepted: {', '.join(METHODS)}")
    if not media_types or not all(fullmatch(MEDIA_TYPE, media_type) for media_type in media_types):
        raise ScopeError(f"{path} produces {media_types}: name the media types of its answers")
