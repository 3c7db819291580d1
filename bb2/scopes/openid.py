"""openid: a stable number for the person that says nothing about them (OpenID Connect Core 3.1.2.1)."""

from bb2.scopes import Scope, Words, hookimpl


@hookimpl
def register_scopes():
    return Scope(
        name="openid",
        consent=Words(
            "A private number, so that the app knows you when you come back",
            es="Un número privado, para que la aplicación lo reconozca cuando regrese",
        ),
        detail=Words(
            "It is not your Medicare number and does not say who you are.",
            es="No es su número de Medicare y no dice quién es usted.",
        ),
        demographic=False,
        claims=("sub",),
        id_token=True,
    )


@hookimpl
def userinfo_claims(beneficiary):
    return {"sub": beneficiary.sub}
