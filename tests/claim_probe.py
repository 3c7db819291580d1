"""Run by another environment's Python: what does a server with all plugins installed there show of Claim?  As JSON."""

import json
from hashlib import sha256
from pathlib import Path

import bb2
from bb2.plugins import installed_plugins
from bb2.testing import ConsentServer

CORE = Path(bb2.__file__).parent


def fingerprint():
    """Of every file of the installed core."""
    files = sorted(path for path in CORE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def status(server, path, token):
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    return server.get(path, headers=headers, expect_errors=True).status_int


def types(server, version):
    (rest,) = server.get(f"/{version}/fhir/metadata").json["rest"]
    return [resource["type"] for resource in rest["resource"]]


def seen():
    server = ConsentServer(*installed_plugins().values())
    page = server.consent_page().html.get_text()
    everything = server.grant()
    opened = {version: status(server, f"/{version}/fhir/Claim", everything) for version in ("v1", "v2")}
    openid = server.grant("openid")  # from now on, as the newer consent replaces the one before
    return {
        "core": str(CORE),
        "fingerprint": fingerprint(),
        "consent page": page,
        "granted": everything["scope"].split(),
        "Claim with every scope": opened,
        "Claim with openid": {v: status(server, f"/{v}/fhir/Claim", openid) for v in ("v1", "v2")},
        "openid-configuration": server.get("/.well-known/openid-configuration").json["scopes_supported"],
        "smart-configuration": server.get("/v2/fhir/.well-known/smart-configuration").json["scopes_supported"],
        "CapabilityStatement": {v: types(server, v) for v in ("v1", "v2")},
    }


print(json.dumps(seen()))
