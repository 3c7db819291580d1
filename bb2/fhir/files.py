"""Which records does a file hold?  One resource, a Bundle of them, or NDJSON; also gzipped."""

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

JSON_SPACE = re.compile(r"[ \t\r\n]*")


class LoadError(Exception):
    """A file that cannot be loaded: nothing of it was kept."""

    def __init__(self, path, line, reason):
        super().__init__(f"{path}: line {line}: {reason}")


@dataclass(frozen=True)
class Located:
    """The JSON of one record, and where in its file it begins."""

    line: int
    text: str


def read_file(path) -> Iterator[Located]:
    """The records of a file, one after the other.  NDJSON is read line by line, whatever its size."""
    path = Path(path)
    lines = _lines(path)
    number, text = next(((number, line) for number, line in lines if line.strip()), (1, ""))
    if not text:
        raise LoadError(path, 1, "the file is empty")
    if _is_one_record(text):
        yield Located(number, text)
        yield from (Located(number, line) for number, line in lines if line.strip())
    else:
        yield from _Document(path, number, text + "".join(line for _number, line in lines)).records()


def _lines(path):
    """(number, text) of each line of a file in UTF-8, with or without a byte order mark."""
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                yield number, (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).decode()
    except UnicodeDecodeError as error:
        raise LoadError(path, number, f"not UTF-8: {error.reason} at byte {error.start + 1} of the line") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise LoadError(path, number + 1, f"the file is damaged or cut off: {error}") from None


def _is_one_record(line):
    """True for a line that is a whole resource, and no Bundle: the file is NDJSON, or that one resource."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("resourceType") != "Bundle"


class _Document:
    """One JSON document over several lines: a resource, or a Bundle of them."""

    def __init__(self, path, line, text):
        self.path, self.line, self.text, self.decoder = path, line, text, json.JSONDecoder()

    def records(self):
        start = self._skip_space(0)
        document, end = self._decoded(start)
        is_bundle = isinstance(document, dict) and document.get("resourceType") == "Bundle"
        rest = self._skip_space(end)
        if rest < len(self.text):
            what = "a Bundle and more in one file" if is_bundle else "not JSON, nor NDJSON: more after the JSON"
            raise self._refusal(rest, f"{what}: {self.text[rest : rest + 20]!r}")
        if is_bundle:
            yield from self._entries(start)
        else:
            yield Located(self.line, self.text)

    def _decoded(self, position):
        """(value, position after it)."""
        try:
            return self.decoder.raw_decode(self.text, position)
        except json.JSONDecodeError as error:
            raise self._refusal(error.pos, f"not JSON: {error.msg}") from None
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists within lists
            raise self._refusal(position, f"not JSON that can be kept: {error}") from None

    def _entries(self, bundle):
        """The resources of a Bundle's entries, each as its own stretch of the text."""
        lists = list(self._values(bundle, "entry"))
        for start in lists[1:]:
            raise self._refusal(start, "the Bundle has two lists of entries")
        for start in lists:
            if self.text[start] != "[":
                raise self._refusal(start, "the Bundle's entry is not a list")
            for entry, _end in self._items(start):
                yield self._resource(entry)

    def _resource(self, entry):
        found = list(self._values(entry, "resource")) if self.text[entry] == "{" else []
        if len(found) != 1:
            raise self._refusal(entry, f"a Bundle entry with {'two resources' if found else 'no resource'}")
        _value, end = self._decoded(found[0])
        return Located(self._line_of(entry), self.text[found[0] : end])

    def _values(self, position, wanted):
        """Where the value of a key begins in the JSON object at a position: once, if the object is a good one."""
        for start, _end in self._items(position):
            key, colon = self._decoded(start)
            if key == wanted:
                yield self._skip_space(self._skip_space(colon) + 1)

    def _items(self, position):
        """(start, end) of each member of the JSON list or object at a position."""
        position = self._skip_space(position + 1)
        while self.text[position] not in "]}":
            start = position
            _value, position = self._decoded(position)
            position = self._skip_space(position)
            if self.text[position] == ":":  # that was the key of a member of an object
                _value, position = self._decoded(self._skip_space(position + 1))
                position = self._skip_space(position)
            yield start, position
            if self.text[position] == ",":
                position = self._skip_space(position + 1)

    def _skip_space(self, position):
        return JSON_SPACE.match(self.text, position).end()

    def _line_of(self, position):
        return self.line + self.text.count("\n", 0, position)

    def _refusal(self, position, reason):
        return LoadError(self.path, self._line_of(position), reason)
