"""What can be said in a declaration, and what is refused in each?"""

from dataclasses import fields
from typing import get_origin

#: API version -> (name of the FHIR release, `CapabilityStatement.fhirVersion`)
API_VERSIONS = {"v1": ("STU3", "3.0.2"), "v2": ("R4", "4.0.1")}


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
