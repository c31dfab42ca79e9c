"""What a command that changes hosts came to, in a line or two for stdout. Pure."""

from underway.model.event import Outcome
from underway.model.names import AppName, ReleaseNumber
from underway.model.plan import Plan
from underway.model.release import Release
from underway.report.amounts import count_text, duration_text
from underway.report.line import Line, faint, good, line, warn


def deployed_lines(
    release: Release, previous: ReleaseNumber, outcome: Outcome, *, steps: int, duration_s: float
) -> list[Line]:
    """A deploy, rollback or repair that ended well."""
    tag = f" ({release.tag})" if release.tag else ""
    serves = f"release {release.number}{tag}"
    if outcome is Outcome.NOTHING_TO_DO:
        return [line(good("nothing to do"), f": {release.spec.name} runs {serves} already")]
    before = f", before it {previous}" if previous and previous != release.number else ""
    work = f"{count_text(steps, 'step')} in {duration_text(duration_s)}"
    return [line(good("done"), f": {release.spec.name} runs {serves}{before}", faint(f"  {work}"))]


def removed_lines(plan: Plan, app: AppName, *, has_data: bool) -> list[Line]:
    """What `remove` took away; `has_data` tells that volumes were left."""
    if plan.is_empty:
        lines = [line(good("nothing to do"), f": nothing of {app} is on its hosts")]
    else:
        steps = count_text(sum(1 for _ in plan.steps()), "step")
        lines = [line(good("done"), f": {app} is off its hosts", faint(f"  {steps}"))]
        if has_data and plan.remarks:
            stays = f"{', '.join(plan.remarks)}: --with-data removes them too"
            lines.append(line(faint("stays: "), stays))
    return [*lines, *(line(warn("left alone: "), text) for text in plan.left)]


def returned_lines(plan: Plan, app: AppName) -> list[Line]:
    """The app given back to Compose."""
    if plan.is_empty:
        lines = [line(good("nothing to do"), f": {app} runs by Compose")]
    else:
        steps = count_text(sum(1 for _ in plan.steps()), "step")
        lines = [line(good("done"), f": {app} runs by Compose again", faint(f"  {steps}"))]
    return [*lines, *(line(warn("left alone: "), text) for text in plan.left)]


def pruned_lines(plan: Plan) -> list[Line]:
    """What `prune` took away."""
    if plan.is_empty:
        lines = [line(good("nothing to do"), ": everything there is needed")]
    else:
        steps = sum(1 for _ in plan.steps())
        lines = [line(good("done"), f": {count_text(steps, 'thing')} removed")]
    return [*lines, *(line(warn("left alone: "), text) for text in plan.left)]
