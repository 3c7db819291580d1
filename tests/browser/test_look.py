"""What a story's look leaves out: of text that is drawn alike, axe judges the contrast once.  It misses no fault."""

import re

#: Pairs, of a colour for each: the second is too hard to read, and differs from the first, which is not judged or is no
#: fault, in one thing only.
PAIRS = """
    <p style="color: #bb1" hidden>one</p>
    <p style="color: #bb1" id="seen">two</p>
    <p style="color: #bb2; position: absolute; top: 2000px; clip-path: inset(50%)">one</p>
    <p style="color: #bb2; position: absolute; top: 2000px; margin-left: 99px" id="not-clipped">two</p>
    <p style="color: #bb3; position: absolute; top: 3000px; left: -999px">one</p>
    <p style="color: #bb3; position: absolute; top: 3000px; left: 9px" id="inside">two</p>
    <button style="color: #bb4" disabled>one</button>
    <button style="color: #bb4" id="on">two</button>
    <label style="color: #bb5">one <input disabled></label>
    <label style="color: #bb5" id="of-what-is-on">two <input></label>
    <p style="color: #246">one</p>
    <div style="background: #333"><p style="color: #246" id="on-black">two</p></div>
    <p style="color: #247">one</p>
    <div style="opacity: .3"><p style="color: #247" id="faded">two</p></div>
    <p style="color: #808080; font-size: 30px">one</p>
    <p style="color: #808080; font-size: 20px" id="smaller">two</p>
    <p style="color: #818181; font-weight: 700; font-size: 20px">one</p>
    <p style="color: #818181; font-weight: 400; font-size: 20px" id="thinner">two</p>
    <p style="color: #bb6"> </p>
    <p><input aria-label="b" value="two" style="color: #bb6" id="typed"></p>
"""
PAGE = f"<!doctype html><html lang=en><title>t</title><body style='background: #fff'><main><h1>h</h1>{PAIRS}</main>"


def show(person, html):
    person.page.goto("about:blank")  # an earlier page's policy would keep the styles from it
    person.page.set_content(html)


def test_the_contrast_of_the_first_of_its_kind_tells_every_fault(person):
    show(person, PAGE)
    faults = person.faults()["color-contrast"]
    assert sorted(re.findall(r'id="(.+?)"', "".join(faults))) == sorted(re.findall(r'id="(.+?)"', PAIRS))


def test_what_is_drawn_alike_is_judged_once(person):
    show(person, PAGE.replace(PAIRS, "<p style='color: #bb1'>one <p style='color: #bb1'>two"))
    assert len(person.faults()["color-contrast"]) == 1
