"""In another environment: what does a server with all the plugins that are installed there show of them?

`LIVE` in the environment names a folder, in which a person's consent stays from one look to the next.
"""

import json
import logging
import os
import sys
from hashlib import sha256
from pathlib import Path

from webtest import TestApp

import bb2
from bb2.db import make_engine
from bb2.models import Base
from bb2.plugins import installed_plugins
from bb2.testing import ALICE, REDIRECT_URI, ConsentServer

sys.path.append(os.environ["HELPERS"])  # the folder of the tests

from developing import developer_of

CORE, LIVE = Path(bb2.__file__).parent, Path(os.environ["LIVE"])
VERSIONS = ("v1", "v2")
RECORDS = ("fhir/CarePlan", "fhir/Claim", "fhir/Immunization", "fhir/Coverage")
PATHS = (*RECORDS, "insurance/card.pdf", "insurance/card.png")
KEPT = LIVE / "kept.json"
PART_A = {
    "resourceType": "Coverage",
    "id": "part-a",
    "status": "active",
    "beneficiary": {"reference": f"Patient/{ALICE}"},
    "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "Part A"}],
}


def fingerprint():
    """Of every file of the installed core."""
    files = sorted(path for path in CORE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def answers(server, token):
    """{version: {path: [status, media type]}}"""
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    found = {
        version: {path: server.get(f"/{version}/{path}", headers=headers, status="*") for path in PATHS}
        for version in VERSIONS
    }
    return {v: {path: [a.status_int, a.content_type] for path, a in each.items()} for v, each in found.items()}


def types(server, version):
    (rest,) = server.get(f"/{version}/fhir/metadata").json["rest"]
    return [resource["type"] for resource in rest["resource"]]


def seen():
    LIVE.mkdir(exist_ok=True)
    server = ConsentServer(*installed_plugins().values(), records={"v2": [PART_A]})
    page = server.consent_page().html.get_text()
    everything = server.grant()
    told = {
        "core": str(CORE),
        "fingerprint": fingerprint(),
        "consent page": page,
        "granted": everything["scope"].split(),
        "with every scope": answers(server, everything),
        "with openid": answers(server, server.grant("openid")),  # the newer consent replaces the one before
        "openid-configuration": server.get("/.well-known/openid-configuration").json["scopes_supported"],
        "smart-configuration": server.get("/v2/fhir/.well-known/smart-configuration").json["scopes_supported"],
        "CapabilityStatement": {v: types(server, v) for v in VERSIONS},
        "OpenAPI": server.get("/openapi.json").json,
        "docs": server.get("/docs/scopes").html.main.get_text(" ", strip=True),
    }
    developer_of(server)
    told["registration form"] = server.get("/developer/apps/new").html.main.get_text(" ", strip=True)
    return told | {"live": again() if KEPT.exists() else granted()}


def granted():
    """A consent that stays: to a scope among others, and to one alone."""
    engine = make_engine(f"sqlite:///{LIVE / 'live.sqlite'}")
    Base.metadata.create_all(engine)
    server = ConsentServer(*installed_plugins().values(), engine=engine)
    among = server.grant("openid patient/Coverage.read patient/CarePlan.read")
    alone = server.grant("patient/CarePlan.read", username="bob")
    kept = {"client_id": server.client_id, "client_secret": server.client_secret, "among": among, "alone": alone}
    KEPT.write_text(json.dumps(kept))
    engine.dispose()
    return kept | {"answers": answers(server, among)}


def again():
    """What has become of it, on a server that starts as an operator's does."""
    kept, log = json.loads(KEPT.read_text()), Log()
    logging.getLogger().addHandler(log)
    ini = {"bb2.base_url": "http://localhost", "sqlalchemy.url": f"sqlite:///{LIVE / 'live.sqlite'}"}
    app = bb2.main({}, **ini)
    server = ConsentServer.__new__(ConsentServer)
    TestApp.__init__(server, app, extra_environ={"HTTP_HOST": "localhost"})
    server.client_id, server.client_secret = kept["client_id"], kept["client_secret"]
    server.engine, server.settings = app.registry["engine"], app.registry["settings"]
    server.redirect_uri, server.signed_in = REDIRECT_URI, None
    asked = server.authorization_request("patient/CarePlan.read")
    told = {
        "log": log.lines,
        "answers": answers(server, kept["among"]),
        "of the one alone": answers(server, kept["alone"]),
        "refreshed": server.refresh(kept["among"])["scope"],
        "refused": server.refresh(kept["alone"], status=400)["error"],
        "asked for": server.get("/v2/o/authorize", asked, status=303).location,
    }
    server.sign_in("alice")
    connection = server.get("/connections").html.find("a", href=lambda href: href and href.startswith("/connections/1"))
    told["connection"] = server.get(connection["href"]).html.main.get_text(" ", strip=True)
    return told


class Log(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())
