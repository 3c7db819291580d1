"""offline_access: come back for new records while the person is away (OpenID Connect Core 11)."""

from bb2.scopes import Scope, Words, hookimpl


@hookimpl
def register_scopes():
    return Scope(
        name="offline_access",
        consent=Words(
            "Permission to come back for new information without asking you again",
            es="Permiso para volver por información nueva sin preguntarle otra vez",
        ),
        demographic=False,
        offline=True,
    )
