from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest

from fencepost.fences import (
    Fence,
    FenceArray,
    Syncobj,
    context_alloc,
    get_stub,
    is_long_running,
    long_running_context,
    publish,
)
from fencepost.sync import World


def endless() -> Fence:
    return Fence(long_running_context(), 1, name="endless")


def test_the_mark_is_on_every_fence_of_the_context() -> None:
    context = long_running_context(2)
    assert all(is_long_running(Fence(number, 1)) for number in (context, context + 1))
    assert not any(is_long_running(fence) for fence in (Fence(), Fence(context_alloc()), get_stub()))


def test_an_array_is_as_long_running_as_its_members() -> None:
    assert is_long_running(FenceArray([Fence(), endless()]))
    assert not is_long_running(FenceArray([Fence(), Fence()]))


def test_inside_of_a_driver_it_is_a_fence_like_any(any_world: World) -> None:
    fence = endless()
    called: list[Fence] = []
    assert fence.add_callback(called.append)
    waiting = any_world.spawn(fence.wait, name="waiter")
    fence.signal(-5)
    assert waiting.join()
    assert called == [fence]
    assert fence.status == -5


def replace(syncobj: Syncobj, fence: Fence) -> None:
    syncobj.replace(fence)


def add_point(syncobj: Syncobj, fence: Fence) -> None:
    syncobj.add_point(fence, 3)


@pytest.mark.parametrize("put", [replace, add_point])
def test_a_syncobj_warns_of_it(virtual: World, put: Callable[[Syncobj, Fence], None]) -> None:  # noqa: ARG001
    syncobj = Syncobj("slot")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="<Fence endless:1 pending> is long-running") as caught:
            put(syncobj, endless())
        put(syncobj, Fence())
    assert "slot" in str(caught.value)


def test_where_warnings_are_errors_nothing_has_changed(virtual: World) -> None:  # noqa: ARG001
    syncobj = Syncobj("slot")
    before = Fence()
    syncobj.replace(before)
    with pytest.raises(RuntimeWarning):
        syncobj.replace(endless())
    assert syncobj.find(0) is before


def test_the_warning_names_who_put_it_there(virtual: World) -> None:  # noqa: ARG001
    with pytest.warns(RuntimeWarning) as caught:
        publish(endless(), "a table")
    assert "must not be put into 'a table'" in str(caught[0].message)
