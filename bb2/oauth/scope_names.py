"""Why is this not a scope of this server?  SMART has more of them than the apps of beneficiaries need."""

import re

# SMART App Launch 2.2, "Scopes for requesting FHIR Resources": both grammars, and whatever looks like them.
SMART = re.compile(r"(?P<context>patient|user|system)/(?P<type>[^.?]*)\.(?P<permission>[^?]*)(?P<constraint>\?.*)?")
READS = {"read", "rs", "r", "s"}


def why_unknown(name):
    """What to ask for instead of a scope that is not installed, to be read after its name."""
    found = SMART.fullmatch(name)
    if found is None:
        return "is not a scope of this server"
    if found["constraint"] is not None:
        return "is a finer-grained scope, not granted here: ask without the ? and what follows, and search by it"
    if found["context"] != "patient":
        return "is not granted here: this server gives access to one person's own records, by patient/ scopes"
    if found["type"] == "*":
        return "is not granted here: name each resource type in a scope of its own"
    if found["permission"] not in READS:
        return "is not granted here: records can be read and searched, by .read, .rs, .r or .s, spelt like this"
    return "is not a scope of this server: it has no such resource type"
