"""The commands of tags: give one to a release, take one away, list them."""

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import command
from underway.cli.working import release_named, use_session
from underway.model.names import NO_RELEASE
from underway.report.history_documents import release_document
from underway.report.line import good, line
from underway.report.tags_text import tag_lines, tags_document


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def tag() -> None:
    """Give releases more tags, take them away, list them."""


@command()
@click.argument("release")
@click.argument("name", metavar="TAG")
def add(console: Console, *, release: str, name: str) -> None:
    """Give a release another tag.

    In a registry the tag gets the very manifest of the release; without one, the images on the
    hosts get the name. From then on the tag deploys that release. A tag that names another image is
    refused, with both digests: tags that move stand in the file.
    """
    with use_session(console, is_changing=True) as session:
        number = release_named(session, release)
        found = api.add_tag(session, number or NO_RELEASE, name)
    if console.options.is_json:
        console.print_document(release_document(found))
    else:
        console.print([line(good("done"), f": `{name}` names release {found.number}")])


@command()
@click.argument("name", metavar="TAG")
def remove(console: Console, *, name: str) -> None:
    """Take away a tag that was given with `tag add`.

    The release and its image stay, with the tags they were shipped with.
    """
    with use_session(console, is_changing=True) as session:
        found = api.remove_tag(session, name)
    if console.options.is_json:
        console.print_document(release_document(found))
    else:
        console.print(
            [line(good("done"), f": `{name}` names nothing; release {found.number} stays")]
        )


@command()
@click.option(
    "-n",
    "--limit",
    default=30,
    type=click.IntRange(min=0),
    metavar="N",
    help="At most N, 0 for all. Default: 30.",
)
def list_tags(console: Console, *, limit: int) -> None:
    """List tags, newest first: digest, age, size, where it runs.

    Of all repositories that hold images built for this app: as the registry tells, or, without
    one, the hosts.
    """
    with use_session(console, is_quiet=True) as session:
        found = api.list_tags(session)
        shown = found[:limit] if limit else found
        now = session.clock.now()
    if console.options.is_json:
        console.print_document(tags_document(session.app, shown))
    else:
        console.print(tag_lines(shown, now))


_ALL = (("add", add), ("remove", remove), ("list", list_tags))
for _name, _command in _ALL:
    _command.name = _name
    tag.add_command(_command)
