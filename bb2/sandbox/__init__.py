"""Which synthetic beneficiaries can sign in, and what does Medicare hold of them?  All from a seed number."""

from bb2.sandbox.people import AS_OF, SyntheticPerson, people

__all__ = ["AS_OF", "SyntheticPerson", "people"]
