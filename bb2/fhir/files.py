"""Which records does a file hold?  One resource, a Bundle of them, or NDJSON; also gzipped, and of any size."""

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

JSON_SPACE = re.compile(r"[ \t\r\n]*")
REST_OF_LINE = re.compile(r"[ \t\r]*")
DECODER = json.JSONDecoder()
STRETCH = 1 << 18  # bytes read at a time
LARGEST = 1 << 26  #: characters of one record, so that a file without an end to it does not fill the memory
# A value that is cut off is wrong where it ends: no token's error lies further back, but for that of a text.
NEAR_THE_END = 16


class LoadError(Exception):
    """A file that cannot be loaded: nothing of it was kept."""

    def __init__(self, path, line, reason):
        super().__init__(f"{path}: line {line}: {reason}")


@dataclass(frozen=True, slots=True)
class Located:
    """The JSON of one record, and where in its file it begins."""

    line: int
    text: str


def read_file(path, on_read=lambda size: None, stretch=STRETCH) -> Iterator[Located]:
    """The records of a file, one after the other, of which no more than one and a stretch of the file are in memory.

    `on_read` is told, at each stretch, how many bytes of the file (as it lies there) have been read so far.
    """
    text = _Text(Path(path), on_read, stretch)
    if not text.next():
        raise text.refusal("the file is empty", 1)
    text.take()
    if text.next() == "{" and _is_bundle(text):
        yield from _entries(text)
        if text.next():
            raise text.refusal(f"a Bundle and more in one file: {text.shown}")
        return
    text.value()
    line, record = text.take()
    yield Located(line, record)
    if "\n" not in record and text.ends_line():
        yield from text.lines()
    elif text.next():
        raise text.refusal(f"not JSON, nor NDJSON: more after the JSON: {text.shown}")


# Bundles


def _is_bundle(text):
    """Is the object that begins here a Bundle?  The cursor stays.

    A Bundle may say what it is only after its entries, which may be more than the memory holds: entries with resources
    have no other type; what the Bundle says of itself then is checked after them.
    """
    with text.looking_ahead():
        for key in text.members():
            if key == "resourceType":
                return text.value() == "Bundle"
            if key == "entry" and _lists_resources(text):
                return True
            text.value()
    return False


def _lists_resources(text):
    """Does the value that begins here list something with a resource first?  The cursor stays."""
    with text.looking_ahead():
        for _ in text.items() if text.next() == "[" else ():
            for key in text.members() if text.next() == "{" else ():
                if key == "resource":
                    return True
                text.value()
            return False
    return False


def _entries(text):
    """The resources of a Bundle's entries."""
    types, lists = [], 0
    for key in text.members():
        if key == "resourceType":
            types.append(text.value())
        elif key == "entry":
            lists += 1
            if lists > 1:
                raise text.refusal("the Bundle has two lists of entries")
            if text.next() != "[":
                raise text.refusal("the Bundle's entry is not a list")
            for _ in text.items():
                yield _resource(text)
        else:
            text.value()
        text.take()
    if types != ["Bundle"]:
        raise text.refusal(f"entries with resources in what is no Bundle: resourceType {types}")


def _resource(text):
    """The resource of the Bundle entry that begins here."""
    text.take()
    line, found = text.line, []
    for key in text.members() if text.next() == "{" else ():
        text.take()
        text.value()
        value = text.take()
        if key == "resource":
            found.append(value[1])
    if len(found) != 1:
        raise LoadError(text.path, line, f"a Bundle entry with {'two resources' if found else 'no resource'}")
    return Located(line, found[0])


# Text


class _Text:
    """A cursor in the text of a file, of which a stretch is in memory: from what is not taken yet to what was read."""

    def __init__(self, path, on_read, stretch):
        self.path, self.stretches = path, _stretches(path, on_read, stretch)
        self.text, self.begin, self.at = "", 0, 0  # text[begin:at] is gone over, and not taken yet
        self.line = 1  #: in which text[begin] stands

    def take(self):
        """(line, text) of what was gone over since the last time."""
        line, taken = self.line, self.text[self.begin : self.at]
        self.begin, self.line = self.at, line + taken.count("\n")
        return line, taken

    def looking_ahead(self):
        return _Ahead(self)

    def more(self):
        """Read on, at least as much again as is kept; False at the end of the file."""
        kept = self.text[self.begin :]
        if len(kept) > LARGEST:
            raise self.refusal(f"more than {LARGEST} characters that are not a whole record", self.line)
        self.at, self.begin = self.at - self.begin, 0
        added, wanted = [], max(len(kept), 1)
        while wanted > 0 and (stretch := next(self.stretches, "")):
            added.append(stretch)
            wanted -= len(stretch)
        self.text = kept + "".join(added)
        return bool(added)

    def next(self, space=JSON_SPACE):
        """Go over white space; returns the character that comes then, or "" at the end of the file."""
        while True:
            self.at = space.match(self.text, self.at).end()
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def ends_line(self):
        """Is there nothing more in this line?"""
        return self.next(REST_OF_LINE) in ("\n", "")

    def lines(self):
        """A Located for each line from here on that is not blank."""
        number, rest = self.line, self.text[self.begin :]
        while True:
            *whole, rest = rest.split("\n")
            for line in whole:
                if line and not line.isspace():
                    yield Located(number, line)
                number += 1
            if len(rest) > LARGEST:
                raise self.refusal(f"a line of more than {LARGEST} characters", number)
            if not (stretch := next(self.stretches, "")):
                break
            rest += stretch
        if rest and not rest.isspace():
            yield Located(number, rest)

    def value(self):
        """Go over the JSON value that begins here; returns it."""
        while True:
            try:
                value, end = DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                cut_off = error.pos > len(self.text) - NEAR_THE_END or error.msg.startswith("Unterminated string")
                further = error.pos - self.at
                if cut_off and self.more():
                    continue
                raise self._refusal_at(self.at + further, f"not JSON: {error.msg}") from None
            except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists within lists
                raise self.refusal(f"not JSON that can be kept: {error}") from None
            length = end - self.at
            if end <= len(self.text) - NEAR_THE_END or not self.more():  # else it may be a number that is cut off
                self.at += length
                return value

    def items(self):
        """Stop at each member of the list that begins here; who asks goes over it."""
        yield from self._listed("]")

    def members(self):
        """Stop at the value of each member of the object that begins here, and give its key; who asks goes over it."""
        for _ in self._listed("}"):
            if self.next() != '"':
                raise self.refusal("not JSON: a key is a text in double quotes")
            key = self.value()
            self._expect(":")
            self.next()
            yield key

    def _listed(self, closing):
        self.at += 1
        if self.next() != closing:
            yield
            while self.next() == ",":
                self.at += 1
                self.next()
                yield
        self._expect(closing)

    def _expect(self, character):
        if self.next() != character:
            raise self.refusal(f"not JSON: {character!r} is missing")
        self.at += 1

    @property
    def shown(self):
        """What comes next, for a message."""
        return repr(self.text[self.at : self.at + 20])

    def refusal(self, reason, line=None):
        return LoadError(self.path, line, reason) if line else self._refusal_at(self.at, reason)

    def _refusal_at(self, position, reason):
        return LoadError(self.path, self.line + self.text.count("\n", self.begin, position), reason)


class _Ahead:
    """`with` this, the cursor goes on, and comes back; nothing may be taken meanwhile."""

    def __init__(self, text):
        self.text = text

    def __enter__(self):
        self.ahead = self.text.at - self.text.begin

    def __exit__(self, *_):
        self.text.at = self.text.begin + self.ahead


def _stretches(path, on_read, most):
    """Stretches of the text of a file in UTF-8, with or without a byte order mark."""
    decoder, line, size = codecs.getincrementaldecoder("utf-8-sig")(), 1, 0
    try:
        with open(path, "rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as file:
            while data := file.read1(most):
                size += len(data)
                text = decoder.decode(data)
                on_read(raw.tell() if raw.seekable() else size)
                line += text.count("\n")
                if text:
                    yield text
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        byte = size - len(error.object) + error.start + 1
        raise LoadError(path, line, f"not UTF-8: {error.reason} at byte {byte} of the file") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LoadError(path, line, f"the file is damaged or cut off: {error}") from None
