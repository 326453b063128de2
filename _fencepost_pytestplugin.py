"""The pytest plugin: a runtime for each test, and tests that are run under many schedules.

    def test_of_a_fence(runtime): ...                         # in virtual time; everything is ended afterwards

    @pytest.mark.explore(schedules=500, timers="slack100")
    def test_in_any_order(runtime): ...                       # once for each schedule; the first that fails is told

    pytest test_it.py::test_in_any_order --fencepost-replay=never.12-1

Stands outside of the package so that pytest, which loads every plugin there is, loads nothing of fencepost until a test
asks for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fencepost.actors import Runtime

MARK = "explore"
OPTION = "--fencepost-replay"
BY_PYTEST_TIMEOUT = "from pytest-timeout"


class Found(AssertionError):  # noqa: N818 - reads as what it is in a test report
    """Raised when a schedule went wrong; says which, and how to run it again."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that replays a schedule."""
    parser.getgroup("fencepost").addoption(
        OPTION, metavar="TOKEN", default=None, help="run tests marked `explore` under this schedule of a report only"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(schedules=1000, strategy='mix', seed=1, timers='never', step_limit=20000): run the test, which takes"
        " `runtime`, under many schedules; the options are those of fencepost.checks.explore",
    )


@pytest.fixture
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """Give an entered runtime, and fail when it leaves something behind.

    Of a virtual world, unless a parameter says otherwise: `@pytest.mark.parametrize("runtime", ["native", "virtual"],
    indirect=True)`. A dict as parameter has the arguments of `fencepost.Runtime`.
    """
    from fencepost.actors import Runtime  # noqa: PLC0415 - see the module docstring

    param: Any = getattr(request, "param", "virtual")
    options: dict[str, Any] = {"world": param} if isinstance(param, str) else param
    with Runtime(**options) as entered:
        yield entered
    if entered.leftovers:
        pytest.fail(f"left behind: {entered.leftovers}", pytrace=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take the place of the fixture in tests that make a runtime for each schedule.

    As a parameter of module scope and not as a fixture, since Hypothesis objects to fixtures that it cannot set up
    again for each example.
    """
    if metafunc.definition.get_closest_marker(MARK) is None:
        return
    if "runtime" not in metafunc.fixturenames:
        raise pytest.UsageError(f"{metafunc.definition.nodeid} is marked {MARK} and takes no argument `runtime`")
    metafunc.parametrize("runtime", [None], ids=[pytest.HIDDEN_PARAM], scope="module")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Have a marked test run under many schedules instead of once; with Hypothesis, each of its examples."""
    marker = pyfuncitem.get_closest_marker(MARK)
    if marker is None:
        return (yield)
    if marker.args:
        raise pytest.UsageError(f"{pyfuncitem.nodeid}: the options of {MARK} are given by name")
    function: Any = pyfuncitem.obj
    given = getattr(function, "hypothesis", None)
    if given is None:
        pyfuncitem.obj = under_many_schedules(function, pyfuncitem, marker.kwargs, is_example=False)
        return (yield)
    test = given.inner_test
    given.inner_test = under_many_schedules(test, pyfuncitem, marker.kwargs, is_example=True)
    without_deadline(function)
    try:
        return (yield)
    finally:
        given.inner_test = test


def without_deadline(function: Any) -> None:  # noqa: ANN401 - a test that Hypothesis has wrapped
    """Let an example take as long as all its schedules do."""
    from hypothesis import settings  # noqa: PLC0415 - only who has it uses it

    wrapped = getattr(function, "__func__", function)
    wrapped._hypothesis_internal_use_settings = settings(  # noqa: SLF001 - as Hypothesis' own plugin does
        getattr(wrapped, "_hypothesis_internal_use_settings", None), deadline=None
    )


def under_many_schedules(
    test: Callable[..., object], item: pytest.Function, options: Mapping[str, Any], *, is_example: bool
) -> Callable[..., None]:
    """Return a function that runs `test` under many schedules, or under the one that is to be replayed."""
    token = item.config.getoption(OPTION)

    @functools.wraps(test)
    def explored(*args: Any, **arguments: Any) -> None:  # noqa: ANN401
        __tracebackhide__ = True
        from fencepost.checks import explore  # noqa: PLC0415 - see the module docstring
        from fencepost.errors import NotDeterministic  # noqa: PLC0415

        def model(runtime: Runtime) -> None:
            try:
                test(*args, **{**arguments, "runtime": runtime})
            except pytest.fail.Exception as failed:
                if BY_PYTEST_TIMEOUT in str(failed):
                    raise
                raise AssertionError(str(failed)) from failed

        try:
            report = explore(model, replay=token, **options)
        except NotDeterministic:
            # The token is of one example, and this may be another.
            if token is None or not is_example:
                raise
            return
        if report.found:
            said = "" if report.outcome is None or report.outcome.finding is None else report.outcome.finding.traceback
            raise Found(f"{report}\nagain: pytest '{item.nodeid}' {OPTION}={report.replay_token}\n\n{said}".rstrip())

    return explored
