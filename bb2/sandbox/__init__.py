"""Which synthetic beneficiaries can sign in, and what does Medicare hold of them?  All from a seed number."""

from bb2.sandbox.people import AS_OF, HORIZON, SyntheticPerson, people, person
from bb2.sandbox.personas import PERSONAS, Persona

__all__ = ["AS_OF", "HORIZON", "PERSONAS", "Persona", "SyntheticPerson", "people", "person"]
