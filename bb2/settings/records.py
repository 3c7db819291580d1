"""The settings of where the records are: here, or in another FHIR server."""

from pathlib import Path

from bb2.settings.kinds import Setting, SettingError, one_of, upstream_url, whole


def param_names(value):
    """Names of search parameters; those that begin with `_` shape an answer or reach beyond a type, but for two."""
    listed = value.split()
    for name in listed:
        if name.startswith("_") and name not in ("_id", "_lastUpdated"):
            raise ValueError("accepted: names of search parameters of a resource type, `_id` and `_lastUpdated`")
    return tuple(listed)


UPSTREAM = (
    Setting(
        "bb2.fhir_source",
        one_of("sql", "upstream"),
        "sql",
        "Where the records are: `sql`, in this server's database; `upstream`, in another FHIR server.",
    ),
    Setting(
        "bb2.upstream_v1",
        upstream_url,
        None,
        "The other server's base URL of FHIR STU3, for version 1. Without it, version 1 has no records.",
    ),
    Setting(
        "bb2.upstream_v2",
        upstream_url,
        None,
        "The other server's base URL of FHIR R4, for version 2. Without it, version 2 has no records.",
    ),
    Setting(
        "bb2.upstream_ca",
        Path,
        None,
        "File of the certificates (PEM) by which the other server is known. Default: those that this machine trusts.",
    ),
    Setting(
        "bb2.upstream_certificate",
        Path,
        None,
        "File of the client certificate (PEM) that is shown to the other server, with its chain.",
    ),
    Setting(
        "bb2.upstream_key",
        Path,
        None,
        "File of the key (PEM, without a passphrase) of that certificate. Default: the certificate's own file.",
    ),
    Setting(
        "bb2.upstream_authorization",
        Path,
        None,
        "File of the `Authorization` header, such as `Bearer …`, for the other server; read at each request, so that "
        "it can be renewed.",
    ),
    Setting(
        "bb2.upstream_connections",
        whole(1, 1000),
        "16",
        "Connections that each process has to the other server, at most, for each version.",
    ),
    Setting("bb2.upstream_read_seconds", whole(1, 300), "10", "Seconds that the other server may be silent."),
    Setting(
        "bb2.upstream_seconds",
        whole(1, 300),
        "30",
        "Seconds for all that one request needs of the other server, with repeats and pages.",
    ),
    Setting(
        "bb2.upstream_retries",
        whole(0, 5),
        "2",
        "How often a request is repeated after a broken connection, a 502 or a 503.",
    ),
    Setting(
        "bb2.upstream_megabytes",
        whole(1, 1024),
        "64",
        "Megabytes that the other server may send for one request, unpacked, all pages together.",
    ),
    Setting(
        "bb2.upstream_search_params",
        param_names,
        "_lastUpdated",
        "Search parameters that the other server understands as this one does, with spaces between them: they are sent "
        "along, so that it sends less. Every record is checked here in any case.",
    ),
)


def check_upstream(values):
    """Refuse half of a description of the other FHIR server."""
    bases = [values[name] for name in ("upstream_v1", "upstream_v2") if values[name]]
    if values["fhir_source"] == "upstream" and not bases:
        raise SettingError("bb2.fhir_source = upstream needs bb2.upstream_v1, bb2.upstream_v2 or both")
    if any(base.startswith("http:") for base in bases) and not values["sandbox"]:
        raise SettingError("bb2.upstream_v1 and bb2.upstream_v2 must be https: only a sandbox may ask by http")
    if values["upstream_key"] and not values["upstream_certificate"]:
        raise SettingError("bb2.upstream_key needs bb2.upstream_certificate")
