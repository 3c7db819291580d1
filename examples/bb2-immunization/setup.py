"""Packaging.  The `bb2.scopes` entry point is what installs the scope."""

from setuptools import setup

setup(
    name="bb2-immunization",
    version="0.1.0",
    description="A scope for bb2: patient/Immunization, from another FHIR server",
    py_modules=["bb2_immunization"],
    python_requires=">=3.11",
    install_requires=["bb2"],
    extras_require={"test": ["bb2[testing]"]},
    entry_points={"bb2.scopes": ["immunization = bb2_immunization"]},
)
