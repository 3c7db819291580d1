"""What Pyramid does over and over while it assembles an application is done once here: tests assemble hundreds."""

import sys
from contextlib import contextmanager
from itertools import islice
from traceback import walk_stack
from types import SimpleNamespace

import pyramid_jinja2
import pytest
from pyramid.config import actions
from pyramid.util import TopologicalSorter

import bb2.views


@contextmanager
def quick_assembly():
    """Meanwhile, an application is assembled in three quarters of the time, and is no other for that."""
    with pytest.MonkeyPatch.context() as patch:
        # pyramid_jinja2 reads every file on the stack to find the package that includes it.
        patch.setattr(pyramid_jinja2, "_caller_package", lambda _excluded: bb2.views)
        patch.setattr(actions, "traceback", SimpleNamespace(extract_stack=_places))
        patch.setattr(TopologicalSorter, "sorted", _sorted_once(TopologicalSorter.sorted))
        yield


def _places(limit):
    """Where each thing is configured, without the line itself: to find that, files are looked for every time."""
    frames = islice(walk_stack(sys._getframe(1)), limit)
    return [(frame.f_code.co_filename, line, frame.f_code.co_name, "") for frame, line in frames][::-1]


def _sorted_once(sort):
    """For each view, Pyramid puts the same few things in order, though none has come since the view before."""
    known = {}

    def sorted_once(self):
        things = self.first, self.last, *self.names, *self.order
        if things not in known:
            known[things] = [name for name, _value in sort(self)]
        return [(name, self.name2val[name]) for name in known[things]]

    return sorted_once
