"""A server on which the examples of the OpenAPI document are true: its app, its person, its record, its tokens."""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select, update

from bb2.clock import now
from bb2.models import AccessToken, AuthorizationCode, Beneficiary, Client, RefreshToken
from bb2.oauth.secrets import hashed, new_secret
from bb2.openapi import samples
from bb2.testing import ALICE, ConsentServer, code_of
from built_in import BUILT_IN
from oauth.wire import FORM, send


@dataclass(frozen=True)
class Sent:
    """A request, as `oauth.wire.send` takes it."""

    path: str
    method: str
    query: dict = field(default_factory=dict)
    form: dict | None = None
    headers: dict = field(default_factory=dict)
    raw_query: bytes | None = None
    body: bytes | None = None
    content_type: str = FORM

    def but(self, **changes):
        return replace(self, **changes)

    def with_form(self, **changes):
        """The form changed; a field that is None is left out."""
        return replace(self, form=_changed(self.form, changes))

    def with_query(self, **changes):
        return replace(self, query=_changed(self.query, changes))

    def asking(self, **changes):
        """The parameters changed, wherever they stand."""
        return self.with_query(**changes) if self.form is None else self.with_form(**changes)

    def with_token(self, token):
        """Without one where it is None."""
        return replace(self, headers=_changed(self.headers, {"Authorization": token and f"Bearer {token}"}))


def _changed(kept, changes):
    return {name: value for name, value in ((kept or {}) | changes).items() if value is not None}


@dataclass(frozen=True)
class Operation:
    """One operation of the document, `name` without its version."""

    path: str
    method: str
    described: dict

    @property
    def id(self):
        return self.described["operationId"]

    @property
    def version(self):
        first = self.path.split("/")[1]
        return first if first in ("v1", "v2") else "v2"

    @property
    def name(self):
        return self.id.removeprefix(f"{self.version}_")

    @property
    def needs_token(self):
        return any("accessToken" in way for way in self.described["security"])

    def examples(self):
        """(status, media type or None, name, value) of each example of an answer."""
        for status, response in self.described["responses"].items():
            for media, content in response.get("content", {}).items():
                for name, example in content.get("examples", {}).items():
                    yield status, media, name, example["value"]
            location = response.get("headers", {}).get("Location", {})
            for name, example in location.get("examples", {}).items():
                yield status, None, name, example["value"]

    def forms(self):
        """{name: value} of the examples of its form."""
        content = self.described.get("requestBody", {}).get("content", {}).get(FORM, {})
        return {name: example["value"] for name, example in content.get("examples", {}).items()}

    def request(self, form=None):
        """What the document says to send: path and query by their examples, and one of the forms."""
        asked = self.described.get("parameters", ())
        places = {each["name"]: each["example"] for each in asked if each["in"] == "path"}
        required = any(each.get("required") for each in asked if each["in"] == "query")
        query = {each["name"]: each["example"] for each in asked if each["in"] == "query" and "example" in each}
        forms = self.forms()
        token = samples.ACCESS_TOKEN if self.needs_token else None
        return Sent(
            self.path.format(**places),
            self.method.upper(),
            query if required else {},
            forms[form or next(iter(forms))] if forms else None,
        ).with_token(token)


def operations(document):
    return [
        Operation(path, method, described)
        for path, item in document["paths"].items()
        for method, described in item.items()
    ]


class Stage:
    """The server.  `state` says what of the examples holds now; `connect` makes them all true again."""

    def __init__(self, *plugins, settings=None):
        self.server = ConsentServer(*(plugins or BUILT_IN), settings=settings)
        resources = self.server.scopes.resources
        with self.server.db() as db:
            db.execute(update(Beneficiary).where(Beneficiary.patient == ALICE).values(patient=samples.PATIENT))
            db.execute(update(Beneficiary).where(Beneficiary.patient == samples.PATIENT).values(sub=samples.SUB))
            mine = {"client_id": samples.CLIENT_ID, "secret_hash": hashed(samples.CLIENT_SECRET)}
            db.execute(update(Client).values(mine))
            self.server.load(db, [samples.record_of(resource) for resource in resources.values()])
        self.server.client_id, self.server.client_secret = samples.CLIENT_ID, samples.CLIENT_SECRET
        self.document = self.server.get("/openapi.json").json
        self.operations = operations(self.document)
        self.state = None
        for kept in Path(self.server.engine.url.database).parent.glob("bb2.[!s]*"):
            kept.unlink()  # of a stage before this one, whose database this was

    def send(self, sent):
        """The answer to a Sent."""
        query = urlencode(sent.query).encode() if sent.raw_query is None else sent.raw_query
        body = urlencode(sent.form or {}).encode() if sent.body is None else sent.body
        return send(
            self.server.app,
            sent.path,
            method=sent.method,
            query=query,
            body=body,
            content_type=sent.content_type,
            headers=sent.headers.items(),
        )

    def need(self, state="all", **options):
        """Have the examples true, or another state that `connect` makes by its options: once, and kept in a file."""
        if self.state == state:
            return
        path = Path(self.server.engine.url.database)
        kept = path.with_suffix(f".{state}")
        if kept.exists():
            self.server.engine.dispose()
            shutil.copy(kept, path)
        else:
            self.connect(**options)
            self.server.engine.dispose()
            shutil.copy(path, kept)
        self.state = state

    def spoil(self):
        """What was sent has changed the state."""
        self.state = None

    def connect(self, scope=None, *, share_demographic=True):
        """A person's Yes: tokens, and a code that is not exchanged yet, under the names of the examples."""
        server = self.server
        scope = scope or samples.scopes_of(server.scopes)
        token = server.grant(scope, share_demographic=share_demographic)
        page = server.consent_page(
            scope, code_challenge=samples.CODE_CHALLENGE, state=samples.STATE, redirect_uri=samples.REDIRECT_URI
        )
        code = code_of(server.approve(page, share_demographic))
        with server.db() as db:
            _rename(db, AccessToken.token_hash, token["access_token"], samples.ACCESS_TOKEN)
            _rename(db, RefreshToken.token_hash, token["refresh_token"], samples.REFRESH_TOKEN)
            _rename(db, AuthorizationCode.code_hash, code, samples.CODE)
        self.state = None

    @contextmanager
    def out_of_order(self):
        """While the database cannot be opened."""
        path = Path(self.server.engine.url.database)
        self.server.engine.dispose()
        path.rename(path.with_suffix(".away"))
        path.mkdir()
        try:
            yield
        finally:
            self.server.engine.dispose()
            path.rmdir()
            path.with_suffix(".away").rename(path)

    @contextmanager
    def long_ago(self, *columns, **others):
        """While these moments of every row of a table are past, and others of its columns have these values."""
        model = columns[0].class_
        names = [*(column.key for column in columns), *others]
        with self.server.db() as db:
            kept = [{column: getattr(row, column) for column in names} for row in _rows(db, model)]
            past = now(db) - timedelta(hours=1)
            db.execute(update(model).values(dict.fromkeys((column.key for column in columns), past) | others))
        yield
        with self.server.db() as db:
            for row, values in zip(_rows(db, model), kept, strict=True):
                for name, value in values.items():
                    setattr(row, name, value)


def _rows(db, model):
    return db.scalars(select(model).order_by(*model.__mapper__.primary_key)).all()


def _rename(db, column, value, example):
    """The row that has the hash of a value gets that of the example, and no other row has it."""
    db.execute(update(column.class_).where(column == hashed(example)).values({column.key: hashed(new_secret())}))
    db.execute(update(column.class_).where(column == hashed(value)).values({column.key: hashed(example)}))
