"""What else does a developer do with an app?  A new secret, its logo, off and on, and away with it."""

from datetime import timedelta

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import exception_view_config, view_config, view_defaults
from wtforms import FileField, StringField

from bb2.models.apps import name_key
from bb2.oauth import client_ends, clients
from bb2.oauth.client_ends import DEVELOPER
from bb2.oauth.errors import ClientError
from bb2.oauth.logos import set_logo
from bb2.oauth.secrets import same_secret
from bb2.views.developer.app_forms import sentence
from bb2.views.developer.apps import fingerprint, overlap
from bb2.views.developer.own_app import FOR_OPERATORS, AppPage
from bb2.views.errors import page
from bb2.views.forms import Form
from bb2.views.pages import PageError
from bb2.views.readable import UploadTooLarge

MOST_PICTURE = 100_000  # bytes of a file: as much as is kept of it


class LogoForm(Form):
    logo = FileField(
        "A PNG or JPEG file",
        description=f"At most {MOST_PICTURE // 1000} KB. It is kept at 512 by 512 pixels or less, without what "
        "else the file holds.",
        render_kw={"accept": "image/png,image/jpeg", "data-most": MOST_PICTURE},
    )


class DeleteForm(Form):
    name = StringField("Type the name of the app", render_kw={"autocomplete": "off", "spellcheck": "false"})


@view_defaults(route_name="developer_app_secret", permission=NO_PERMISSION_REQUIRED)
class Secret(AppPage):
    @view_config(request_method="GET")
    def ask(self):
        hours, replaces = self.request.registry["settings"].secret_overlap_hours, fingerprint(self.client.secret_hash)
        return self.page("app_secret", hours=hours, overlap=overlap(self.db, self.client), replaces=replaces)

    @view_config(request_method="POST")
    def rotate(self):
        """The new secret stands in this answer, and nowhere else.

        It follows from the browser's session and from which secret it replaces: a button that is pressed twice makes
        one, and the secret that is in use counts on.
        """
        if self.client.secret_hash is None:
            return self.ask()
        replaces = self.request.POST.get("replaces", "")
        secret = self.request.developer_browser.secret_for(f"secret {self.client.client_id} {replaces}")
        if not same_secret(secret, self.client.secret_hash):
            if replaces != fingerprint(self.client.secret_hash):  # another was made since: the page says how it stands
                return self.ask()
            hours = self.request.registry["settings"].secret_overlap_hours
            clients.rotate_secret(self.db, self.client, timedelta(hours=hours), secret)
            self.record("client.secret_rotated", overlap_hours=hours)
        return self.page("app_secret_shown", secret=secret, overlap=overlap(self.db, self.client))

    @view_config(request_method="POST", request_param="stop")
    def stop(self):
        if self.client.previous_secret_hash:
            clients.stop_previous_secret(self.client)
            self.record("client.secret_stopped")
        return self.done("stopped")


@view_defaults(route_name="developer_app_disable", permission=NO_PERMISSION_REQUIRED)
class Disable(AppPage):
    @view_config(request_method="GET")
    def ask(self):
        return self.page("app_disable", may_switch_on=client_ends.may_switch_on(self.client, DEVELOPER))

    @view_config(request_method="POST")
    def switch_off(self):
        if self.client.disabled_at is None:
            client_ends.switch_off(self.db, self.client, DEVELOPER)
            self.record("client.disabled")
        return self.done("disabled")

    @view_config(request_method="POST", request_param="enable")
    def switch_on(self):
        if not client_ends.may_switch_on(self.client, DEVELOPER):
            return self.page("app_disable", 403, may_switch_on=False)
        if self.client.disabled_at:
            client_ends.switch_on(self.client, DEVELOPER)
            self.record("client.enabled")
        return self.done("enabled")


@view_defaults(route_name="developer_app_delete", permission=NO_PERMISSION_REQUIRED)
class Delete(AppPage):
    @view_config(request_method="GET")
    def ask(self):
        return self.page("app_delete", form=DeleteForm())

    @view_config(request_method="POST")
    def delete(self):
        form = DeleteForm.of(self.request)
        if name_key(" ".join((form.name.data or "").split())) != self.client.name_key:
            form.name.errors = [f"This is not the name of the app. Type {self.client.name}, or leave it as it is."]
            return self.page("app_delete", 422, form=form)
        client_ends.delete_client(self.db, self.client)
        self.record("client.deleted")
        return HTTPSeeOther(self.request.route_path("developer_apps", _query={"deleted": ""}))


@view_defaults(route_name="developer_app_logo", permission=NO_PERMISSION_REQUIRED)
class Logo(AppPage):
    @view_config(request_method="GET")
    def ask(self):
        return self.page("app_logo", form=LogoForm())

    @view_config(request_method="POST")
    def save(self):
        form, before = LogoForm(), self.described
        try:
            if self.approved:
                raise ClientError(FOR_OPERATORS)
            set_logo(self.db, self.client, uploaded(self.request.POST.get("logo")))
        except ClientError as error:
            form.logo.errors = [sentence(error)]
            return self.page("app_logo", 422, form=form)
        self.record_changes(before)
        return self.done("logo")

    @view_config(request_method="POST", request_param="remove")
    def remove(self):
        before = self.described
        set_logo(self.db, self.client, None)
        self.record_changes(before)
        return self.done("no-logo")


def uploaded(field):
    """The bytes of a file that was sent, if there are any and not too many."""
    data = field.file.read(MOST_PICTURE + 1) if hasattr(field, "file") else b""
    if not data:
        raise ClientError("choose a picture")
    if len(data) > MOST_PICTURE:
        raise ClientError(f"the picture has more than {MOST_PICTURE // 1000} KB: save it smaller, and choose it again")
    return data


@exception_view_config(UploadTooLarge)
def too_large(_error, request):
    """So large that the form around it was not read either."""
    words = (
        f"A logo may have {MOST_PICTURE // 1000} KB, and this file has much more. Save it smaller, and choose it again."
    )
    return page(
        request, PageError(413, "The picture is too large", words, way_on=(request.path, "Choose another picture"))
    )
