"""launch/patient: which record is the person's (SMART App Launch 2.2, standalone launch context)."""

from bb2.scopes import Scope, Words, hookimpl


@hookimpl
def register_scopes():
    return Scope(
        name="launch/patient",
        consent=Words(
            "Which Medicare record is yours",
            es="Cuál registro de Medicare es el suyo",
        ),
        detail=Words(
            "A record number that only this service understands.",
            es="Un número de registro que solo este servicio entiende.",
        ),
        demographic=False,
    )
