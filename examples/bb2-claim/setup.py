"""Packaging.  The `bb2.scopes` entry point is what installs the scope."""

from setuptools import setup

setup(
    name="bb2-claim",
    version="0.1.0",
    description="A scope for bb2: patient/Claim",
    py_modules=["bb2_claim"],
    python_requires=">=3.11",
    install_requires=["bb2"],
    extras_require={"test": ["bb2[testing]"]},
    entry_points={"bb2.scopes": ["claim = bb2_claim"]},
)
