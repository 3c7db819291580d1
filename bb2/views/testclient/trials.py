"""Which trial is this browser's, and is it still whose it was?"""

from bb2.views.pages import PageError


def trial_of(request):
    """{"pending", "done"}, each where there is one.  A trial with a developer's own app ends when they sign out."""
    developer = request.developer_browser.developer
    mine = {None, developer and developer.id}
    return {name: trial for name, trial in request.trial.kept.items() if trial["app"]["developer_id"] in mine}


def no_trial(request):
    return PageError(
        400,
        "Nothing was tried yet",
        "This browser holds no tokens: begin at the test client. What was tried is forgotten after a while without a "
        "click, and, with an app of your own, when you sign out.",
        way_on=(request.route_path("testclient"), "Test client"),
    )
