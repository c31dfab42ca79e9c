"""What `init` wrote, and what comes next. Pure."""

from collections.abc import Sequence

from underway.compose.introduction import Answers
from underway.report.line import Line, faint, good, line


def init_lines(app: str, answers: Answers, files: Sequence[str]) -> list[Line]:
    """The files, how users reach the app, and the commands that follow."""
    lines = [line(good("done"), f": {app} knows Underway", faint(f"  wrote {', '.join(files)}"))]
    if answers.service:
        port = "" if answers.http_port == 80 else f":{answers.http_port}"  # noqa: PLR2004 - HTTP's
        url = f"http://{answers.host_name}{port}/"
        lines.append(line(faint("users reach "), answers.service, faint(" at "), url))
    lines.append(line(faint("next: "), "underway check", faint(", then "), "underway plan"))
    return lines


def pipeline_lines(path: str, variables: Sequence[str], *, is_hook: bool) -> list[Line]:
    """The hook or the job that was written, and what it still needs."""
    lines = [line(good("done"), f": wrote {path}")]
    if variables:
        where = "underway.env in the repository" if is_hook else "the service's secrets"
        lines.append(line(faint(f"needs in {where}: "), ", ".join(variables)))
    return lines
