"""A person who has nothing but a keyboard."""


class Keyboard:
    """The keys, and where they lead: `person` is one of tests/browser/conftest.py."""

    def __init__(self, person):
        self.person, self.keys = person, person.page.keyboard

    def tab_to(self, selector):
        """Press Tab until this element has the focus; returns the names of what had it on the way."""
        passed = []
        for _ in range(30):
            self.keys.press("Tab")
            focused = self.person.focused
            if focused.count() and focused.and_(self.person.page.locator(selector)).count():
                return passed
            passed.append(focused.inner_text() if focused.count() else "")
        raise AssertionError(f"Tab does not reach {selector}: {passed}")

    def type(self, **texts):
        """Type into fields, {id: text}, which come one after the other."""
        for id, text in texts.items():
            assert self.tab_to(f"#{id}") == [], id
            self.keys.type(text)

    def press(self, key):
        """Press a key that leads to a page, and wait until that page is there."""
        with self.person.page.expect_navigation():
            self.keys.press(key)
