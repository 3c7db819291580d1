"""How an app is used: the numbers of its developer's page, and that none of real people gives one of them away."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import event, insert, update

from bb2.audit.days import Period
from bb2.clock import EASTERN, utcnow
from bb2.developers.usage import Usage
from bb2.models import AuditEvent, Beneficiary, Client, Consent
from developing import developer_of
from oauth.steps import EVERYTHING, another_app, answer

NOON = datetime.now(EASTERN).replace(hour=12, minute=0)


def owned(server):
    """The path of the page of its app, whose developer signs in."""
    mine = developer_of(server)
    with server.db() as db:
        db.get(Client, server.client_id).developer_id = mine.id
    return f"/developer/apps/{server.client_id}/usage"


def table(server, path, name, **asked):
    """The rows of a CSV file, but for its heading."""
    server.app.registry["tally"].flush()
    answer = server.get(f"{path}/{name}.csv", asked)
    assert answer.content_type == "text/csv"
    return list(csv.reader(io.StringIO(answer.text)))[1:]


def people(server, number):
    """The ids of so many people."""
    with server.db() as db:
        added = [Beneficiary(sub=f"s{n}", patient=f"-9{n}", given_name="A", family_name="B") for n in range(number)]
        db.add_all(added)
        db.flush()
        return [person.id for person in added]


def connected(server, ids, days_ago=1, **facts):
    """A consent of each of these people, active since so many days ago."""
    at = utcnow() - timedelta(days=days_ago)
    about = {"client_id": server.client_id, "scopes": [], "shown": {}, "language": "en", "expires_at": None}
    about |= {"granted_at": at, "activated_at": at} | facts
    with server.db() as db:
        db.add_all(Consent(**about, beneficiary_id=id) for id in ids)


def read_by(server, ids, days_ago=1, count=1, at=None, **details):
    """The app has asked for records of each of these people."""
    details = {"kind": "Coverage", "interaction": "read", "outcome": 200, "count": count} | details
    about = {"at": at or NOON - timedelta(days=days_ago), "event": "records.read", "client_id": server.client_id}
    with server.db() as db:
        db.execute(insert(AuditEvent), [about | {"beneficiary_id": id, "details": details} for id in ids])


def used(server, days=30, whole=False, until=None):
    with server.db() as db:
        client = db.get(Client, server.client_id)
        db.expunge(client)
    return Usage.of(server.engine, client, Period.of(days, until or utcnow()), whole)


# The page


def test_a_story_is_told_in_numbers(make_server):
    server = make_server()
    server.approve(server.consent_page(EVERYTHING), share_demographic=False)  # its code is not redeemed
    answer(server.consent_page(EVERYTHING), "no")
    server.consent_page(EVERYTHING)  # and left
    replaced = server.grant(EVERYTHING)
    token = server.grant(EVERYTHING, leave_out=["patient/Coverage"])
    for _ in range(2):
        server.fhir("Patient", token)
    server.fhir("Coverage", token, status=403)
    server.fhir("Patient/unknown", token, status=404)
    server.fhir("Patient", replaced, status=401)
    server.post("/v2/o/token/", server.token_request("no code"), status=400)
    path = owned(server)
    assert table(server, path, "connections")[0] == ["all", "2", "1", "0", "0", "0", "0", "1"]
    choices = {(about, answer): number for about, answer, number in table(server, path, "choices")}
    assert [choices["authorization pages", each] for each in ("all", "No", "No answer")] == ["5", "1", "1"]
    assert choices["authorization pages", "Yes, with who they are"] == "2"
    assert choices["active connections: Your Medicare coverage", "left out"] == "1"
    assert table(server, path, "calls")[:4] == [
        ["all", "Coverage search", "403", "1"],
        ["all", "Patient read", "404", "1"],
        ["all", "Patient search", "200", "2"],
        ["all", "Patient search", "401", "1"],
    ]
    assert [row[:3] for row in table(server, path, "errors")] == [
        ["403 forbidden", "Coverage search", "1"],
        ["404 not-found", "Patient read", "1"],
        ["401 login", "Patient search", "1"],
        ["invalid_grant", "token", "1"],
    ]
    page = server.get(path)
    assert "every number is told" in page
    assert len(page.html.select("svg.days rect")) == 5  # connections; three endpoints, one of them in two parts
    leads = {link["href"] for link in page.html.select("table a")}
    assert leads == {f"/docs/errors#{code}" for code in ("forbidden", "not-found", "login", "invalid_grant")}
    codes = {heading["id"] for heading in server.get("/docs/errors").html.select("section[id]")}
    assert {link.partition("#")[2] for link in leads} <= codes


def test_only_its_own_developer_sees_how_an_app_is_used(make_server):
    server = make_server()
    path = owned(server)
    server.get(path)
    developer_of(server, "other@example.com")
    for theirs in (path, f"{path}/calls.csv", "/developer/apps/unknown/usage"):
        assert server.get(theirs, status=404)
    server.reset()
    assert "/developer/sign-in?next=" in server.get(path, status=303).location


def test_there_are_four_files_and_four_periods(make_server):
    server = make_server()
    path = owned(server)
    server.get(f"{path}/people.csv", status=404)
    for asked, number in (("7", 7), ("365", 365), ("400", 30), ("x", 30), ("٣٠", 30)):
        assert len(table(server, path, "connections", days=asked)) == 1 + number
    assert 'filename="calls-' in server.get(f"{path}/calls.csv").headers["Content-Disposition"]


def test_numbers_are_read_without_keeping_the_one_writer_of_sqlite_from_its_work(make_server):
    server = make_server()
    path = owned(server)
    counted, writes = [], []

    def watch(connection, _cursor, statement, *_others):
        if "records.read" in str(_others) and not counted:
            counted.append(statement)
            with server.db() as db:
                db.execute(update(Client).values(terms="https://app.example/terms"))
            writes.append("done")

    event.listen(server.engine, "before_cursor_execute", watch)
    server.get(path)
    event.remove(server.engine, "before_cursor_execute", watch)
    assert writes == ["done"]


# Days

#: (moment, its day in Eastern time): about the nights in which clocks are set back, and forward
NIGHTS = [
    ("2026-11-01T03:59:59+00:00", "2026-10-31"),
    ("2026-11-01T04:00:00+00:00", "2026-11-01"),
    ("2026-11-02T04:59:59+00:00", "2026-11-01"),
    ("2026-11-02T05:00:00+00:00", "2026-11-02"),
    ("2026-03-08T04:59:59+00:00", "2026-03-07"),
    ("2026-03-08T05:00:00+00:00", "2026-03-08"),
    ("2026-03-09T03:59:59+00:00", "2026-03-08"),
    ("2026-03-09T04:00:00+00:00", "2026-03-09"),
]


def test_days_are_eastern_also_when_clocks_change(make_server):
    server = make_server()
    for at, day in NIGHTS:
        read_by(server, [None], at=datetime.fromisoformat(at), kind=f"{at[:-6]} {day}")
    for until, days in ((NIGHTS[3][0], 3), (NIGHTS[3][0], 365), (NIGHTS[-1][0], 7)):
        found = used(server, days, whole=True, until=datetime.fromisoformat(until)).calls.by_day
        assert len(found) == (8 if days == 365 else 4)
        for (kind, _status), counts in found.items():
            assert {f"{day}": 1 for day in counts} == {kind.split()[1]: 1}


def test_a_day_that_is_over_is_summed_up_once(make_server):
    server = make_server()

    def found():
        return used(server, whole=True).calls.total

    for days_ago in (40, 2, 0):
        read_by(server, [None, None], days_ago=days_ago, at=None if days_ago else utcnow())
    assert found() == {("Coverage read", 200): 4}
    read_by(server, [None], days_ago=2)  # comes a day and more too late
    assert found() == {("Coverage read", 200): 4}
    read_by(server, [None], at=utcnow())
    assert found() == {("Coverage read", 200): 5}
    assert used(server, 90, whole=True).calls.total == {("Coverage read", 200): 7}


def test_two_who_look_at_once_see_the_same(make_server):
    server = make_server()
    read_by(server, [None], days_ago=2)
    with ThreadPoolExecutor() as pool:
        found = [pool.submit(used, server, 30, True) for _ in range(4)]
        assert {each.result().calls.total["Coverage read", 200] for each in found} == {1}


# Small numbers of real people


def test_what_ten_people_are_behind_is_left_out_and_what_eleven_are_is_told(make_server):
    server = make_server()
    everybody = people(server, 11)
    read_by(server, everybody, count=3)
    read_by(server, everybody[:10], kind="Patient", count=100)
    calls = used(server).calls
    assert calls.total == {("Coverage read", 200): 33, ("Patient read", 200): None}
    assert calls.by_day is None
    assert used(server, whole=True).calls.total == {("Coverage read", 200): 33, ("Patient read", 200): 1000}


def test_days_are_told_all_or_not_at_all(make_server):
    server = make_server()
    everybody = people(server, 12)
    read_by(server, everybody, days_ago=3)
    read_by(server, everybody, days_ago=2)
    assert sum(used(server).calls.by_day["Coverage read", 200].values()) == 24
    read_by(server, everybody[:1], days_ago=1)
    found = used(server).calls
    assert (found.total, found.by_day) == ({("Coverage read", 200): 25}, None)


def test_one_person_who_is_read_often_is_one_person(make_server):
    server = make_server()
    for days_ago in range(1, 15):
        read_by(server, [1], days_ago=days_ago, count=50)
    assert used(server).calls.total == {("Coverage read", 200): None}


def test_of_a_new_app_what_is_active_does_not_tell_how_many_have_stopped(make_server):
    server = make_server()
    everybody = people(server, 40)
    connected(server, everybody)
    assert used(server).active is None  # none has stopped, or few
    assert used(server).connections.total["given"] == 40
    with server.db() as db:
        db.execute(update(Client).values(created_at=utcnow() - timedelta(days=400)))
    assert used(server).active == 40  # how many there were before is not told
    with server.db() as db:
        theirs = update(Consent).where(Consent.beneficiary_id.in_(everybody[:3]))
        db.execute(theirs.values(revoked_at=utcnow(), revoked_by="beneficiary"))
    assert used(server).connections.total["stopped"] is None
    assert used(server, whole=True).connections.total["stopped"] == 3


def test_who_shares_is_told_only_where_neither_side_is_few(make_server):
    server = make_server()
    everybody = people(server, 40)
    for left_out, told in ((0, None), (1, None), (10, None), (11, 11), (29, 29), (30, None)):
        app = another_app(server)
        connected(app, everybody[:left_out], share_sensitive={"a-kind": False}, left_out=["profile"])
        connected(app, everybody[left_out:], share_sensitive={"a-kind": True}, left_out=[], share_demographic=True)
        rest = None if told is None else 40 - told
        found = {(kind, which): counts for kind, which, *counts in used(app).sharing}
        assert found["sensitive", "a-kind"] == [None, None]  # before and after somebody connects could be subtracted
        assert found.get(("line", "profile"), [None, None]) == [rest, told]
        assert found.get(("demographic", ""), [None, None]) == [None, None]


def test_what_pages_were_answered_is_left_out_as_the_report_leaves_it_out(make_server):
    server = make_server()
    shown = {"asks_demographic": True, "returning": False, "shown": {}}
    events = []
    for n, person in enumerate(people(server, 31)):
        about = {"at": NOON - timedelta(days=2), "client_id": server.client_id, "beneficiary_id": person}
        about["correlation_id"] = f"r{n}"
        events.append(about | {"event": "consent.shown", "details": shown})
        if n < 12:
            events.append(about | {"event": "consent.given", "details": {"share_demographic": True}})
        elif n < 24:
            events.append(about | {"event": "consent.given", "details": {"share_demographic": False}})
        elif n < 27:
            events.append(about | {"event": "consent.declined", "details": {"answer": "no"}})
    with server.db() as db:
        db.execute(insert(AuditEvent), events)
    pages = used(server).pages
    assert (pages["shared"], pages["withheld"], pages["declined"], pages["seen"]) == (12, 12, None, None)
    assert used(server, whole=True).pages["seen"] == 31


def test_the_page_says_what_is_left_out_and_why(make_server):
    server = make_server(settings={"bb2.sandbox": "false", "bb2.developers": "true"})
    everybody = people(server, 12)
    read_by(server, everybody)
    read_by(server, everybody[:2], outcome=403)
    connected(server, everybody[:2])
    path = owned(server)
    page = server.get(path)
    assert "fewer than 11 people are behind" in page
    assert "Days are not told apart" in page
    row = page.html.find("a", string="forbidden").find_parent("tr")
    assert row.find(class_="number").get_text() == "*"
    assert table(server, path, "calls") == [["all", "Coverage read", "200", "12"], ["all", "Coverage read", "403", "*"]]
    assert table(server, path, "connections") == [["all", *"*******"]]
