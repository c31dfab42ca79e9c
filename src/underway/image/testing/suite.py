"""One suite, from an empty network to a verdict and back to nothing.

What it needs is started in order and waited for by health; the suite runs within its time limit;
what every container writes is kept, without sensitive values. Whatever happens, all that was made
is removed.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from underway.errors import EngineError, UnderwayError
from underway.image.testing.followers import Follower
from underway.image.testing.junit import is_junit
from underway.image.testing.means import Means
from underway.image.testing.needs import NeedFailedError, Needs
from underway.image.testing.plan import Member, Setting
from underway.image.testing.verdict import LastLine, judge, timed_out
from underway.model.event import Level, StepFailed, StepFinished, StepProgress, StepStarted
from underway.model.snapshot import ContainerStatus
from underway.model.testing import SuiteOutcome, SuiteResult

KIND: Final = "RunSuite"
SUITE: Final = "suite"
"""What the container that tests is called beside the services it needs."""
_POLL_S: Final = 0.2
_KILL_S: Final = 1.0
_LAST_LINES: Final = 20
_JUDGED_LINES: Final = 2000
_SETTLE_S: Final = 10.0


class StoppedError(Exception):
    """The run is being stopped."""


class SuiteRun:
    """One run of one suite; called once."""

    def __init__(self, setting: Setting, means: Means, number: int) -> None:
        """`number` tells its progress apart from that of others."""
        self._setting = setting
        self._suite = setting.suite
        self._means = means
        self._number = number
        self._began = means.clock.monotonic()
        self._followers: list[Follower] = []

    def tell_replaced(self) -> None:
        """Note the paths of the host that the suite gets fresh volumes for."""
        for path in self._setting.replaced:
            text = f"suite {self._suite.name}: not {path} of the host: a fresh volume stands there"
            self._means.voice.note(Level.INFO, "test-bind-replaced", text)

    def __call__(self) -> SuiteResult:
        """The verdict; failures are results, only bugs are raised."""
        means, name = self._means, self._suite.name
        self._began = means.clock.monotonic()
        cause = f"what {self._suite.service} ships must pass"
        means.voice.say(StepStarted(self._number, KIND, name, cause), means.engine.host)
        try:
            result = self._result()
        except StoppedError:
            result = self._broken("interrupted", "interrupted")
        except UnderwayError as error:
            result = self._broken(error.code, error.message, error.cause, error.hint)
        finally:
            self._clear()
        taken_s = means.clock.monotonic() - self._began
        result = replace(result, duration_s=round(taken_s, 3), logs=means.keep.directory)
        self._say(result)
        return result

    def _result(self) -> SuiteResult:
        self._prepare()
        try:
            Needs(self._setting, self._means, self._start, self._await).ready()
        except NeedFailedError as error:
            return replace(error.result, detail=tuple(map(self._means.redact, error.result.detail)))
        return self._judged()

    def _prepare(self) -> None:
        """The network, the volumes, and the files in them."""
        engine, labels = self._means.engine, dict(self._setting.labels)
        engine.create_network(self._setting.network, labels)
        for volume in self._setting.volumes:
            engine.create_volume(volume, labels)
        for filled in self._setting.filled:
            engine.write_files(filled.name, filled.image, filled.files, self._means.values, labels)

    def _start(self, member: Member, source: str) -> None:
        """Create and start a container, and follow what it writes."""
        means, request = self._means, member.request
        means.engine.create(request, means.values)
        means.engine.start(request.name)
        place = (self._suite.name, source)
        follower = Follower(means, request.name, place, is_told=source == SUITE)
        follower.start()
        self._followers.append(follower)

    def _await(self, text: str, elapsed_s: float, limit_s: float) -> None:
        """Say where it stands, and pause; StoppedError if the run is to end."""
        means = self._means
        if means.is_stopped():
            raise StoppedError
        means.voice.say(StepProgress(self._number, elapsed_s, limit_s, text), means.engine.host)
        means.clock.sleep(_POLL_S)

    def _judged(self) -> SuiteResult:
        """Run the suite to its end, or to the end of its time."""
        means, suite = self._means, self._suite
        name = self._setting.subject.request.name
        began = means.clock.monotonic()
        self._start(self._setting.subject, SUITE)
        while True:
            state = means.engine.container(name)
            elapsed_s = means.clock.monotonic() - began
            if state is None:
                return self._broken(
                    "container-gone", f"the container of suite {suite.name} was removed by somebody"
                )
            if state.status in {ContainerStatus.EXITED, ContainerStatus.DEAD}:
                last, detail = self._read(name)
                result = judge(suite, state.exit_code, last, detail)
                break
            if elapsed_s > suite.timeout_s:
                means.engine.stop(name, _KILL_S)
                result = timed_out(suite, self._read(name)[1])
                break
            self._await("", elapsed_s, suite.timeout_s)
        for follower in self._followers[-1:]:
            follower.join(_SETTLE_S)
        detail = result.detail
        if not result.outcome.is_good:
            detail = (*detail, *self._fallen())
        return replace(result, detail=detail, reports=tuple(self._reports(name)))

    def _read(self, name: str) -> tuple[str, tuple[str, ...]]:
        """The last line that counts, and the last lines, read anew: nothing of them is missing."""
        last = LastLine()
        lines = []
        for line in self._means.engine.logs(name, tail=_JUDGED_LINES):
            last.take(line.text, is_stderr=line.is_stderr)
            lines.append(self._means.redact(line.text))
        return self._shown(last), tuple(lines[-_LAST_LINES:])

    def _shown(self, last: LastLine) -> str:
        """The last line, hidden where it holds a value, unless it is the one that is expected."""
        return last.text if last.text == self._suite.last_line else self._means.redact(last.text)

    def _fallen(self) -> Iterator[str]:
        """The services beside it that do not run any more."""
        for member in self._setting.needs:
            state = self._means.engine.container(member.request.name)
            if state is not None and state.has_ended and not member.runs_once:
                yield f"{member.service} ended with status {state.exit_code} meanwhile"

    def _reports(self, name: str) -> Iterator[str]:
        """The JUnit documents it wrote."""
        means, path = self._means, self._suite.junit
        if not path:
            return
        found = 0
        for file, content in sorted(means.engine.read_files(name, path).items()):
            text = means.redact(content.decode("utf-8", "replace"))
            if is_junit(text):
                found += 1
                means.keep.document(self._suite.name, f"junit-{found}.xml", text)
                yield text
            elif file.endswith(".xml"):
                note = f"suite {self._suite.name}: {file} is no JUnit XML"
                means.voice.note(Level.WARNING, "test-no-junit", note)
        if not found:
            note = f"suite {self._suite.name} wrote no JUnit XML to {path}"
            means.voice.note(Level.WARNING, "test-no-junit", note)

    def _broken(self, code: str, message: str, cause: str = "", hint: str = "") -> SuiteResult:
        return SuiteResult(
            self._suite.name,
            self._suite.service,
            SuiteOutcome.BROKEN,
            code=code,
            message=message,
            cause=cause,
            hint=hint,
        )

    def _clear(self) -> None:
        """Remove everything, past failures: what stays is told, and the next run removes it."""
        engine, setting = self._means.engine, self._setting
        containers = [member.request.name for member in (*setting.needs, setting.subject)]
        removals: list[tuple[Callable[[str], None], str]] = [
            (engine.remove, name) for name in reversed(containers)
        ]
        removals += [(engine.remove, f"{filled.name}-writer") for filled in setting.filled]
        removals.append((engine.remove_network, setting.network.physical))
        removals += [(engine.remove_volume, volume.physical) for volume in setting.volumes]
        removals += [(engine.remove_volume, filled.name) for filled in setting.filled]
        for remove, name in removals:
            try:
                remove(name)
            except (EngineError, UnderwayError) as error:
                text = f"{name} stays until the next run of the tests: {error.message}"
                self._means.voice.note(Level.WARNING, "test-left", text)
        for follower in self._followers:
            follower.join(_SETTLE_S)

    def _say(self, result: SuiteResult) -> None:
        means, name = self._means, self._suite.name
        if result.outcome.is_good:
            said = StepFinished(self._number, KIND, name, result.duration_s, "passed")
            means.voice.say(said, means.engine.host)
            return
        message = f"{result.message} ({result.cause})" if result.cause else result.message
        failed = StepFailed(
            self._number, KIND, name, result.code, message, result.hint, result.detail
        )
        means.voice.say(failed, means.engine.host)
