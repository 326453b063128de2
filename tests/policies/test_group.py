from __future__ import annotations

import pytest

from fencepost.policies.group import DEFAULT_WEIGHT, Group


def test_a_group_knows_where_it_is() -> None:
    root = Group()
    browser = Group("browser", root)
    tab = Group("tab", browser)
    assert [each.path for each in root.walk()] == ["/", "/browser", "/browser/tab"]
    assert (tab.parent, root.children, repr(tab)) == (browser, {"browser": browser}, "<Group /browser/tab>")
    assert (tab.weight, tab.priority, tab.max_share) == (DEFAULT_WEIGHT, 0, None)


def test_names_of_siblings_differ() -> None:
    root = Group()
    Group("A", Group("B", root))
    Group("A", root)
    with pytest.raises(ValueError, match="<Group /> has a child 'A' already"):
        Group("A", root)


def test_only_a_group_without_children_can_be_removed() -> None:
    root = Group()
    parent = Group("A", root)
    child = Group("B", parent)
    with pytest.raises(ValueError, match="<Group /A> cannot be removed: it is not empty"):
        parent.remove()
    child.remove()
    parent.remove()
    with pytest.raises(ValueError, match="<Group /> cannot be removed: it is the root"):
        root.remove()
