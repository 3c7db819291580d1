"""Which operations does an access token open?  FHIR's, userinfo's and the plugins', from the routes."""

import re

from bb2.fhir.search import CONTROLS, DEFAULT_COUNT, MOST_COUNT, parameters
from bb2.openapi import samples
from bb2.openapi.answers import FHIR_JSON, JSON, answer, fhir_problems, oauth_problems, outcome
from bb2.openapi.oauth import FORM
from bb2.openapi.schemas import TEXT, bundle_schema, record_schema, ref
from bb2.scopes import USERINFO
from bb2.settings import fhir_base

TIME = r"T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})"
DATE = {
    "type": "string",
    "pattern": rf"^(eq|lt|le|gt|ge)?[0-9]{{4}}(-[0-9]{{2}}(-[0-9]{{2}}({TIME})?)?)?$",
}
HOW = {
    "token": "A code, or system|code; a comma is OR, repeating the parameter is AND.",
    "date": "A date of any precision, after nothing or eq, lt, le, gt, ge; repeating the parameter is AND.",
    "string": "How it begins, in any case, with accents or without.",
    "reference": "Type/id, or an id.",
}
WHOLE = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
SHAPING = {
    "_count": (f"Records on a page: {DEFAULT_COUNT} without it, at most {MOST_COUNT}; 0: the total only.", WHOLE, 10),
    "startIndex": ("How many records come before the page. Follow the links of the Bundle instead.", WHOLE, 0),
    "_after": ("A cursor, as the links of a Bundle have it.", TEXT, None),
    "_before": ("A cursor, as the links of a Bundle have it.", TEXT, None),
    "_format": ("JSON by any of its names.", TEXT, "json"),
    "_summary": ("count: the total only.", {"enum": list(CONTROLS["_summary"])}, "count"),
    "_total": ("Totals are always exact.", {"enum": list(CONTROLS["_total"])}, "accurate"),
}
#: What may be answered, of a read and of a search.
STATUSES = {
    "read": (400, 401, 403, 404, 406, 413, 500, 502, 503, 504),
    "search": (400, 401, 403, 404, 406, 413, 500, 502, 503, 504),
    "search_by_post": (400, 401, 403, 404, 406, 413, 415, 500, 502, 503, 504),
}


class Records:
    """The operations of one API version that need a token.  `routes`: {name: ProtectedRoute}."""

    def __init__(self, settings, scopes, routes, version):
        self.base_url, self.fhir = settings.base_url, fhir_base(settings.base_url, version)
        self.scopes, self.routes, self.version = scopes, routes, version

    def operations(self):
        """{path: {method: Operation}}"""
        found = {}
        for name, route in self.routes.items():
            path = name.partition(" ")[2]
            other_spelling = path != route.endpoint.path and path.lower() == route.endpoint.path.lower()
            if self.version in route.endpoint.versions and not other_spelling:
                for method in route.methods:
                    shown = re.sub(r"\{([^}:]+)[^}]*\}", r"{\1}", f"/{self.version}/{path}")
                    found.setdefault(shown, {})[method.lower()] = self._operation(path, route.endpoint, method)
        return found

    def _operation(self, path, endpoint, method):
        if endpoint is USERINFO:
            return self._userinfo(endpoint, method)
        if endpoint.resource is None:
            return self._of_plugin(path, endpoint, method)
        return self._read(endpoint) if endpoint.interaction == "read" else self._search(endpoint, method)

    def _opened_by(self, endpoint):
        """Any of these scopes will do, however the token comes."""
        names = [scope.name for scope in self.scopes if scope.name in self.scopes.scopes_opening(endpoint)]
        return [{scheme: [name]} for scheme in (f"oauth2_{self.version}", "accessToken") for name in names]

    def _described(self, endpoint, name, tag, summary, description):
        """What every operation has."""
        needed = ", ".join(sorted(self.scopes.scopes_opening(endpoint)))
        return {
            "operationId": f"{self.version}_{name}",
            "tags": [tag],
            "summary": summary,
            "description": f"{description} Opened by one of: {needed}.".strip(),
            "security": self._opened_by(endpoint),
        }

    def _read(self, endpoint):
        resource = endpoint.resource
        described = self._described(
            endpoint,
            f"read_{resource.type}",
            resource.type,
            f"Read one {resource.type}",
            "FHIR, read. Another person's record and one that does not exist are answered alike.",
        )
        conditional = [
            {"name": name, "in": "header", "schema": TEXT, "description": f"304 if it is the same still ({of})."}
            for name, of in (("If-None-Match", "by its ETag"), ("If-Modified-Since", "by its Last-Modified"))
        ]
        id = {"name": "id", "in": "path", "required": True, "schema": TEXT, "example": samples.id_of(resource)}
        return described | {
            "parameters": [id, *conditional, self._parameter("_format", *SHAPING["_format"])],
            "responses": {
                "200": answer(
                    "The record.", FHIR_JSON, record_schema(resource), {"record": samples.record_of(resource)}
                ),
                "304": answer("The app has just this already."),
            }
            | self._refused(endpoint, "read"),
        }

    def _search(self, endpoint, method):
        resource, by_post = endpoint.resource, method == "POST"
        kind = "search_by_post" if by_post else "search"
        described = self._described(
            endpoint,
            f"search_{resource.type}" + ("_by_post" if by_post else ""),
            resource.type,
            f"Search {resource.type}" + (", with a form" if by_post else ""),
            "FHIR, search. Always within the records of the person who granted the token.",
        )
        asked = [self._parameter(*each) for each in self._search_parameters(resource)]
        strict = {"name": "Prefer", "in": "header", "schema": TEXT, "example": "handling=lenient"}
        strict["description"] = "With handling=strict, a parameter that is not known is answered 400."
        responses = {
            "200": answer("A page.", FHIR_JSON, bundle_schema(resource), {"page": self._bundle(resource, by_post)})
        }
        operation = described | {
            "parameters": [strict] if by_post else [*asked, strict],
            "responses": responses | self._refused(endpoint, kind),
        }
        if by_post:
            properties = {each["name"]: each["schema"] | {"description": each["description"]} for each in asked}
            schema = {"type": "object", "properties": properties}
            examples = {"ten": {"value": {"_count": 10}}}
            operation["requestBody"] = {"content": {FORM: {"schema": schema, "examples": examples}}}
        return operation

    def _search_parameters(self, resource):
        """(name, words, schema, example) of everything that a search of this type knows."""
        declared = {param.name: param for param in resource.search_params}
        for name, (kind, _definition) in parameters(resource).items():
            codes = declared[name].codes if name in declared else ()
            among = f" Codes: {', '.join(codes)}." if codes else ""
            yield (
                name,
                f"{HOW[kind]}{among}",
                DATE if kind == "date" else TEXT,
                self._example(resource, name, kind, codes),
            )
        if resource.includes:
            values = resource.include_values
            yield "_include", "Records that come along, where the token opens them.", {"enum": values}, values[0]
        for name, described in SHAPING.items():
            yield name, *described

    def _example(self, resource, name, kind, codes):
        if name == "_id":
            return samples.id_of(resource)
        if kind == "reference":
            return f"Patient/{samples.PATIENT}"
        return {"date": "ge2024-01-01", "string": "exam"}.get(kind) or (codes[0] if codes else "https://app.example|1")

    def _parameter(self, name, words, schema, example):
        made = {"name": name, "in": "query", "description": words, "schema": schema}
        return made if example is None else made | {"example": example}

    def _bundle(self, resource, by_post):
        record, url = samples.record_of(resource), f"{self.fhir}/{resource.type}"
        places = [("self", 0), ("first", 0), ("last", 0)]
        return {
            "resourceType": "Bundle",
            "id": "4f9f0b5c-5d4e-4a0e-9d3a-2f1f3a0c7f11",
            "meta": {"lastUpdated": samples.LAST_UPDATED},
            "type": "searchset",
            "total": 1,
            "link": [{"relation": relation, "url": f"{url}?startIndex={at}&_count=10"} for relation, at in places],
            "entry": [{"fullUrl": f"{url}/{record['id']}", "resource": record, "search": {"mode": "match"}}],
        }

    def _refused(self, endpoint, kind):
        problems = fhir_problems(self.base_url, kind, *STATUSES[kind], type=endpoint.resource.type)
        names = " ".join(sorted(self.scopes.scopes_opening(endpoint)))
        reason = f"One of these scopes is needed: {names}"
        if self.scopes.demographic(names.split()) == set(names.split()):
            reason = (
                f"The beneficiary did not share their demographic information ({names}); to ask again, send them "
                "through authorization once more"
            )
        examples = {"not_granted": {"value": outcome(self.base_url, "forbidden", reason)}}
        problems["403"]["content"][FHIR_JSON]["examples"] = examples
        return problems

    def _userinfo(self, endpoint, method):
        described = self._described(
            endpoint,
            "userinfo" + ("_by_post" if method == "POST" else ""),
            "Person",
            endpoint.summary,
            "OpenID Connect Core 5.3. Also spelled connect/UserInfo.",
        )
        good = {"200": answer("The claims.", JSON, ref("UserInfo"))}
        return described | {"responses": good | self._refused_to_apps(endpoint)}

    def _of_plugin(self, path, endpoint, method):
        """An operation that a plugin serves itself, as its Endpoint says."""
        name = re.sub(r"[^A-Za-z0-9]+", "_", f"{method.lower()}_{path}").strip("_")
        described = self._described(endpoint, name, path.partition("/")[0], endpoint.summary or str(endpoint), "")
        content = {media: {"schema": {} if media.endswith("json") else TEXT} for media in endpoint.produces}
        good = {"200": {"description": endpoint.summary or "The answer.", "content": content}}
        asked = [self._declared(each, "path") for each in endpoint.path_parameters]
        asked += [self._declared(each, "query") for each in endpoint.query_parameters]
        return described | {"parameters": asked, "responses": good | self._refused_to_apps(endpoint)}

    def _declared(self, parameter, place):
        made = {"name": parameter.name, "in": place, "required": place == "path" or parameter.required}
        made |= {
            "description": parameter.summary,
            "schema": {"enum": list(parameter.values)} if parameter.values else TEXT,
        }
        return made | ({"example": parameter.example} if parameter.example else {})

    def _refused_to_apps(self, endpoint):
        """The errors of what is not FHIR, in the words of userinfo."""
        statuses = (400, 401, 403, 413, 500, 503) + (() if endpoint is USERINFO else (404, 406, 502, 504))
        problems = oauth_problems(self.base_url, "userinfo", *statuses)
        names = " ".join(sorted(self.scopes.scopes_opening(endpoint)))
        for example in problems["403"]["content"][JSON]["examples"].values():
            told = example["value"]["error_description"].replace("…", names)
            example["value"]["error_description"] = told
        return problems
