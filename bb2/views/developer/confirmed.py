"""What does a developer do only after typing the password again?  Whatever changes how the account opens."""

from bb2.developers import accounts
from bb2.views.developer.credentials import is_password_of
from bb2.views.developer.fields import ConfirmForm
from bb2.views.developer.own import DeveloperPage

WRONG = "This is not your password. Please type it again"


class Confirmed(DeveloperPage):
    """A page whose form asks for the password.  A subclass names its `template` and says what it does: `act`."""

    template: str
    form = ConfirmForm

    def ask(self):
        return self.show(self.empty())

    def answer(self):
        form = self.typed()
        if not form.validate():
            return self.show(form, 422)
        prepared = self.prepared(form)
        if not self.is_confirmed(form.current.data):
            form.current.errors = [WRONG]
            return self.show(form, 403)
        return self.act(form, prepared)

    def show(self, form, status=200):
        return self.page(self.template, status, form=form, **self.shown())

    def shown(self):
        """What else the template shows."""
        return {}

    def empty(self):
        return self.form()

    def typed(self):
        return self.form.of(self.request)

    def prepared(self, form):
        """What takes a while, and is better done before anything is locked."""
        return

    def act(self, form, prepared):
        """The password was right, and the developer's lock is held: the answer."""
        raise NotImplementedError

    def is_confirmed(self, password):
        """Is it the password?  Wrong ones are counted as at a sign-in.  Then the developer is locked."""
        developer, account = self.developer, (self.request.route_path("developer_account"), "Account")
        tried, id = developer.password_hash, developer.id
        pause = {"advice": "You are still signed in. Nothing was changed.", "way_on": account}
        pause |= {"asked": {"developer_id": id}}
        if not is_password_of(self.request, developer, developer.email, password, **pause):
            self.record("developer.refused")
            self.db.commit()  # it is on record, though the answer is an error
            return False
        locked = accounts.lock(self.db, id)
        # Meanwhile the password may have been changed, or this session ended, from another browser.
        return bool(locked and locked.password_hash == tried and self.request.developer_browser.developer)
