"""Where suites run, and running several at once: images brought, the place swept, a mark held.

The mark is a container that ends with this client. What a run made whose mark is gone is nobody's
any more, and the next run removes it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Final

from underway.image.testing.definition import Images, needed_services
from underway.image.testing.leftovers import sweep
from underway.image.testing.means import LogKeeper, Means
from underway.image.testing.plan import Setting, labels_of_run, mark_name, plan_suite
from underway.image.testing.redaction import Redactor
from underway.image.testing.suite import SuiteRun
from underway.kernel.telling import Voice
from underway.model.event import Level
from underway.model.image import ImageIdentity
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.sensitive import SensitiveValues
from underway.model.spec import AppSpec
from underway.model.testing import SuiteResult, SuiteSpec
from underway.ports import Clock, Engine

_AT_ONCE: Final = 4
"""Suites at once: each brings its own database."""

Hold = Callable[[ContainerName, Mapping[str, str]], AbstractContextManager[object]]
"""Holds a mark on the bench's engine: it ends with the block, or with this client."""


@dataclass(frozen=True, slots=True)
class Bench:
    """An engine, how images come to it (`bring` gives what it finds them by), and the values."""

    engine: Engine
    bring: Callable[[ImageIdentity], str]
    hold: Hold
    values: SensitiveValues
    keep: LogKeeper


@dataclass(frozen=True, slots=True)
class Caller:
    """Who runs the suites: the name of the run, its voice and clock, and the wish to stop."""

    run: str
    voice: Voice
    clock: Clock
    cancel: threading.Event


def run_suites(
    spec: AppSpec,
    suites: Sequence[SuiteSpec],
    images: Images,
    benches: Mapping[HostName | None, Bench],
    caller: Caller,
) -> tuple[SuiteResult, ...]:
    """Run suites side by side, each in surroundings of its own; nothing of them stays.

    An interruption is raised after everything is removed.
    """
    with ExitStack() as marks:
        for bench in benches.values():
            for text in sweep(bench.engine, spec.name, caller.clock.now()):
                caller.voice.note(Level.INFO, "test-leftovers", text)
            labels = labels_of_run(spec.name, caller.run)
            marks.enter_context(bench.hold(mark_name(spec.name, caller.run), labels))
        stop = threading.Event()
        runs = [
            SuiteRun(
                _setting(spec, suite, images, benches[suite.host], caller.run),
                _means(benches[suite.host], caller, stop),
                number,
            )
            for number, suite in enumerate(suites, start=1)
        ]
        for run in runs:
            run.tell_replaced()
        return _all(runs, stop, caller)


def _all(
    runs: Sequence[SuiteRun], stop: threading.Event, caller: Caller
) -> tuple[SuiteResult, ...]:
    """All results in order. Whatever ends this one ends the suites first, and they clear up."""
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        futures: list[Future[SuiteResult]] = [pool.submit(run) for run in runs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            return tuple(future.result() for future in futures)
        except BaseException:
            stop.set()
            text = "stopping: what the tests started is removed"
            caller.voice.note(Level.INFO, "test-stopping", text)
            raise


def _setting(spec: AppSpec, suite: SuiteSpec, images: Images, bench: Bench, run: str) -> Setting:
    names: set[ServiceName] = {suite.service, *(s.name for s in needed_services(spec, suite))}
    return plan_suite(spec, suite, {name: bench.bring(images[name]) for name in names}, run)


def _means(bench: Bench, caller: Caller, stop: threading.Event) -> Means:
    return Means(
        engine=bench.engine,
        values=bench.values,
        redact=Redactor(bench.values),
        keep=bench.keep,
        clock=caller.clock,
        voice=caller.voice,
        is_stopped=lambda: stop.is_set() or caller.cancel.is_set(),
    )
