"""profile: the beneficiary's name, from userinfo (OpenID Connect Core 5.4)."""

from bb2.scopes import USERINFO, Scope, Words, hookimpl


@hookimpl
def register_scopes():
    return Scope(
        name="profile",
        consent=Words("The name on your account", es="El nombre de su cuenta"),
        demographic=True,
        endpoints=(USERINFO,),
        claims=("sub", "name", "given_name", "family_name", "patient"),
    )


@hookimpl
def userinfo_claims(beneficiary):
    return {
        "sub": beneficiary.sub,
        "name": f"{beneficiary.given_name} {beneficiary.family_name}".strip(),
        "given_name": beneficiary.given_name,
        "family_name": beneficiary.family_name,
        "patient": beneficiary.patient,
    }
