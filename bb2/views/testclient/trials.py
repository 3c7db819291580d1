"""Which trial is this browser's, and is it still whose it was?

Of an app that was registered in this browser a moment ago, its trials know the secret, which no page shows again.
"""

from bb2.views.pages import PageError


def trial_of(request):
    """{"registered", "pending", "done"}, each where there is one.

    A trial with a developer's own app ends when they sign out.
    """
    developer = request.developer_browser.developer
    mine = {None, developer and developer.id}
    return {name: trial for name, trial in request.trial.kept.items() if trial["app"]["developer_id"] in mine}


def held_secrets(request):
    """{client_id: the secret that was typed, or given, last; None of an app without one}"""
    apps = [trial["app"] for trial in trial_of(request).values()]
    return {app["client_id"]: app["client_secret"] for app in apps}


def last_app(request):
    """The client_id of the app that is played, or None: who has looked at who is who comes back to it."""
    return next(reversed([trial["app"]["client_id"] for trial in trial_of(request).values()]), None)


def player(client, secret):
    """An app of a developer's own, as a trial keeps it."""
    named = {"client_id": client.client_id, "client_secret": secret, "name": client.name}
    return named | {"developer_id": client.developer_id}


def hold(request, client, secret):
    """An app was given its secret in this browser: there it can be played without typing the secret."""
    request.trial.keep(request.trial.kept | {"registered": {"app": player(client, secret)}})


def no_trial(request):
    return PageError(
        400,
        "Nothing was tried yet",
        "This browser holds no tokens: begin at the test client. What was tried is forgotten after a while without a "
        "click, and, with an app of your own, when you sign out.",
        way_on=(request.route_path("testclient"), "Test client"),
    )
