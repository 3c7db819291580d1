"""Packaging.  The `bb2.scopes` entry point is what installs the scope."""

from setuptools import setup

setup(
    name="bb2-insurance-card",
    version="0.1.0",
    description="A scope for bb2: the person's Medicare card, as PDF and PNG",
    packages=["bb2_insurance_card"],
    package_data={"bb2_insurance_card": ["card.typ"]},
    python_requires=">=3.11",
    install_requires=["bb2", "typst>=0.14"],
    extras_require={"test": ["bb2[testing]", "pypdf>=5"]},
    entry_points={"bb2.scopes": ["insurance_card = bb2_insurance_card"]},
)
