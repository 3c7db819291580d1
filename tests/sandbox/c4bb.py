"""Does a record keep what its CARIN profile demands?  Elements, slices and fixed values: no FHIR library sees these.

`c4bb.json` holds the demands of CARIN Blue Button 1.1.0 (hl7.fhir.us.carin-bb, HL7), whose profiles version 2 names:
{profile: {"elements": {path: [min, max, must support, fixed value or null]}, "slices": {path: [what tells, value …]}}}.
Paths are those of the element definitions, without the resource type; a coding is written `system|code`.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Element(NamedTuple):
    #: of the element that it is a part of
    parent: tuple[str, ...]
    name: str
    min: int
    #: "*" for any number
    max: str
    must_support: bool
    fixed: str | None


@cache
def profiles():
    """{profile: (its slices, [(path, Element)])}"""
    told = json.loads((Path(__file__).parent / "c4bb.json").read_text())
    return {url: (each["slices"], [_element(*row) for row in each["elements"].items()]) for url, each in told.items()}


def _element(path, row):
    *parent, name = path.split(".")
    return path, Element(tuple(parent), name, *row)


def faults(record):
    """What the record lacks, has too often, or has with another value than its profile fixes: "path: what"."""
    slices, elements = profiles()[_profile(record)]
    found, places = [], {(): [record]}
    for path, element in elements:
        for parent in _at(places, element.parent, slices):
            values = _children(parent, element.name, path, slices)
            if len(values) < element.min:
                found.append(f"{path}: missing")
            if element.max != "*" and len(values) > int(element.max):
                found.append(f"{path}: {len(values)} times")
            if element.fixed and not all(_is(value, element.fixed) for value in values):
                found.append(f"{path}: not {element.fixed}")
    return found


def supported(record):
    """{path} of the elements that the profile says must be supported, and the record has."""
    slices, elements = profiles()[_profile(record)]
    places = {(): [record]}
    return {
        path
        for path, element in elements
        if element.must_support and _at(places, (*element.parent, element.name), slices)
    }


def must_support(profile):
    return {path for path, element in profiles()[profile][1] if element.must_support}


def _profile(record):
    (profile,) = record["meta"]["profile"]
    return profile


def _at(places, steps, slices):
    """The values at a path of element names, some with the name of a slice; `places` {path: values} are known."""
    if steps not in places:
        values, path = _at(places, steps[:-1], slices), ".".join(steps)
        places[steps] = [child for value in values for child in _children(value, steps[-1], path, slices)]
    return places[steps]


def _children(value, step, path, slices):
    if not isinstance(value, dict):
        return []
    name, _, of_slice = step.partition(":")
    if name.endswith("[x]"):
        stem = of_slice or name[:-3]
        return [value[key] for key in value if key == stem or (not of_slice and _is_choice(key, stem))]
    children = value.get(name, [])
    children = children if isinstance(children, list) else [children]
    if not of_slice or path not in slices:
        return children
    told_by, *values = slices[path]
    return [child for child in children if any(_is(child.get(told_by), each) for each in values)]


def _is_choice(key, stem):
    return key.startswith(stem) and key[len(stem) :][:1].isupper()


def _is(value, fixed):
    """Whether a value is the fixed one: a string itself, a CodeableConcept by any of its codings."""
    if isinstance(value, dict):
        return any(f"{coding.get('system')}|{coding.get('code')}" == fixed for coding in value.get("coding", []))
    return value == fixed
