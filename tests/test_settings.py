"""Every setting can stand in the ini file or in the environment; what cannot be used stops the start."""

import pytest

from bb2.settings import SETTINGS, SettingError, Settings


def read(ini=None, **environ):
    return Settings.read(ini or {}, environ)


def test_the_defaults_are_those_of_a_developers_own_machine():
    settings = read()
    assert settings.base_url == "http://localhost:8000"
    assert settings.sandbox is True
    assert settings.scopes is None
    assert settings.demographic_default == "share"
    assert str(settings.database_url).startswith("sqlite:///")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_a_name_in_the_environment(setting):
    good = {
        "bb2.base_url": "https://bb2.example",
        "sqlalchemy.url": "sqlite:///x",
        "bb2.scopes": "bb2:openid",
        "bb2.trusted_proxies": "192.0.2.7 2001:db8::/32",
        "bb2.limits_url": "valkey://127.0.0.1/0",
        "bb2.sandbox_seed": "7",
        "bb2.sandbox_years": "7",
        "bb2.sandbox_claims_per_year": "7",
        "bb2.upstream_v1": "https://fhir.example/v1",
        "bb2.upstream_v2": "https://fhir.example/v2",
        "bb2.oidc_issuer": "https://id.example",
        "bb2.mail_url": "smtps://mail.example",
        "bb2.mail_from": "no-reply@bb2.example",
    }
    value = good.get(setting.name, setting.default or "true")
    rest = {"bb2.scopes": "bb2:openid", "bb2.upstream_certificate": "bb2.pem"}
    in_ini = read(rest | {setting.name: value})
    in_environment = read(rest, **{setting.environment: value})
    assert getattr(in_ini, setting.attribute) == getattr(in_environment, setting.attribute)


def test_the_names_in_the_environment_are_as_documented():
    names = {setting.name: setting.environment for setting in SETTINGS}
    assert names["bb2.demographic_default"] == "BB2_DEMOGRAPHIC_DEFAULT"
    assert names["sqlalchemy.url"] == "BB2_DATABASE_URL"


def test_the_environment_wins_over_the_ini_file():
    settings = read({"bb2.demographic_default": "share"}, BB2_DEMOGRAPHIC_DEFAULT="withhold")
    assert settings.demographic_default == "withhold"


def test_var_says_where_the_state_is(tmp_path):
    settings = read({"bb2.var": "elsewhere"}, VAR=str(tmp_path / "in?side"))
    assert settings.database_url.database == f"{tmp_path}/in?side/bb2.sqlite"


@pytest.mark.parametrize(
    ("ini", "environ", "named"),
    [
        ({"bb2.demografic_default": "share"}, {}, ["bb2.demografic_default", "bb2.demographic_default"]),
        ({}, {"BB2_DEMOGRAFIC_DEFAULT": "share"}, ["BB2_DEMOGRAFIC_DEFAULT", "BB2_DEMOGRAPHIC_DEFAULT"]),
        ({"bb2.demographic_default": "maybe"}, {}, ["bb2.demographic_default", "maybe", "share, withhold, ask"]),
        ({}, {"BB2_PORT": "eighty"}, ["BB2_PORT", "eighty", "from 1 to 65535"]),
        ({"bb2.port": "70000"}, {}, ["bb2.port", "70000", "65535"]),
        ({"bb2.sandbox": "perhaps"}, {}, ["bb2.sandbox", "perhaps", "true, false"]),
        ({"bb2.base_url": "http://bb2.example"}, {}, ["bb2.base_url", "https"]),
        ({"bb2.base_url": "https://bb2.example/path", "bb2.scopes": "*"}, {}, ["bb2.base_url", "without a path"]),
        ({"sqlalchemy.url": "mysql://root@localhost/bb2"}, {}, ["sqlalchemy.url", "postgresql://"]),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_is_accepted(ini, environ, named):
    with pytest.raises(SettingError) as refused:
        read(ini, **environ)
    assert all(part in str(refused.value) for part in named)


def test_a_refused_database_url_is_not_repeated():
    with pytest.raises(SettingError) as refused:
        read({"sqlalchemy.url": "oracle://bb2:hunter2@db.example/bb2"})
    assert "hunter2" not in str(refused.value)


def test_on_a_public_address_the_plugins_must_be_written_out():
    with pytest.raises(SettingError, match=r"bb2\.scopes"):
        read({"bb2.base_url": "https://bb2.example"})


def test_on_a_public_address_there_is_no_sandbox_unless_one_is_asked_for():
    public = {"bb2.base_url": "https://bb2.example", "bb2.scopes": "bb2:openid bb2:coverage"}
    assert read(public).sandbox is False
    assert read(public | {"bb2.sandbox": "true"}).sandbox is True
    assert read(public).scopes == ("bb2:openid", "bb2:coverage")


def test_a_plugins_own_settings_are_left_to_it():
    assert read({"bb2_claim.records": "claims.ndjson"}).others == {"bb2_claim.records": "claims.ndjson"}
