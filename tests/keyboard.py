"""A person who has nothing but a keyboard."""

#: Whether this element has the focus, and the words on the one that has it.
FOCUSED = """(selector) => {
    const focused = document.querySelector(":focus");
    return [focused?.matches(selector) ?? false, focused?.innerText ?? ""];
}"""


class Keyboard:
    """The keys, and where they lead: `person` is one of tests/browser/conftest.py."""

    def __init__(self, person):
        self.person, self.keys = person, person.page.keyboard

    def tab_to(self, selector):
        """Press Tab until this element has the focus; returns the names of what had it on the way."""
        passed = []
        for _ in range(30):
            self.keys.press("Tab")
            reached, name = self.person.page.evaluate(FOCUSED, selector)
            if reached:
                return passed
            passed.append(name)
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
