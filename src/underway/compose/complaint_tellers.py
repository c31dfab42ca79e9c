"""What is wrong in our words, where, why, and what to do about it: one function per complaint.

Each gets the match of its pattern in `complaint_rules`.
"""

import re
from typing import Final

from underway.compose.complaint_scene import STEP, Scene, Told
from underway.compose.key_words import key_hint
from underway.errors.suggestion import meant_hint

Match = re.Match[str]


def unknown_key(match: Match, scene: Scene) -> Told:
    """A key that Compose does not know."""
    key = match["key"]
    parent = STEP.findall(match["path"] or "")
    if parent == ["services"]:
        return Told(
            f"`{key}` cannot be the name of a service",
            "Use letters, digits, `.`, `_` and `-`.",
            scene.positions.place("services", key),
        )
    where = f"`{'.'.join(parent)}` has" if parent else "the file has"
    place = scene.positions.place(*parent, key)
    return Told(
        f"{where} a key `{key}`, which Compose does not know",
        key_hint(key, parent),
        place,
        "keys are those of Compose's specification, or begin with `x-`",
    )


_KIND_HINTS: Final = {
    "mapping": "Write keys with values below it, indented: `image: nginx`, for example.",
    "array": "Write a list: each entry on a line of its own, behind `- `.",
    "string": "Put the value in quotes; a duration has a unit (`10s`).",
    "boolean": "Write `true` or `false`, without quotes.",
}


def wrong_kind(match: Match, scene: Scene) -> Told:
    """A list where text belongs, and the like."""
    kind = {"list": "array", "object": "mapping"}.get(match["kind"], match["kind"])
    word = {"array": "a list", "string": "text", "integer": "a whole number"}.get(kind, f"a {kind}")
    hint = _KIND_HINTS.get(kind, "Write a number, without quotes and unit.")
    return Told(
        f"`{match['path']}` must be {word}",
        hint,
        scene.at(match["path"]),
        "Compose's specification has no other form for it",
    )


def not_a_choice(match: Match, scene: Scene) -> Told:
    """A value that is none of those that a key takes."""
    choices = re.findall(r"'([^']+)'", match["choices"])
    listed = ", ".join(f"`{choice}`" for choice in choices)
    written = scene.positions.text(*STEP.findall(match["path"]))
    return Told(
        f"`{match['path']}` cannot be `{written}`",
        meant_hint(written, choices, f"Write one of {listed}."),
        scene.at(match["path"]),
        f"it is one of {listed}",
    )


def not_a_number(match: Match, scene: Scene) -> Told:
    """A value that is no number, or neither true nor false."""
    kind = "`true` or `false`" if "ParseBool" in match[0] else "a number"
    return Told(
        f"`{match['path']}` must be {kind}, and is {scene.shown(match['value'])}",
        f"Write {kind}, or give the variable that stands there such a value.",
        scene.at(match["path"]),
        "the value cannot be converted",
    )


def not_an_amount(match: Match, scene: Scene) -> Told:
    """A duration or size without number or unit."""
    is_size = "size" in match["kind"]
    return Told(
        f"`{match['path'].replace('[', '.').replace(']', '')}` is {scene.shown(match['value'])}",
        "Write a number and a unit: "
        + ("`512m`, `1g`." if is_size else "`500ms`, `30s`, `1m30s`."),
        scene.at(match["path"]),
        f"that is no {'size' if is_size else 'duration'}",
    )


def template(match: Match, scene: Scene) -> Told:
    """A dollar that begins no variable."""
    return Told(
        f"`{match['path']}` has a `$` that Compose cannot read",
        "Write `${NAME}` or `${NAME:-default}`; a dollar that is meant as such is `$$`.",
        scene.at(match["path"]),
        "its variable is not closed, or its name cannot be a variable's",
    )


def bad_port(match: Match, scene: Scene) -> Told:
    """A port that is none."""
    value = match["value"]
    return Told(
        f"{scene.shown(value)} is not a port",
        "Write `\"80:8080\"`: the host's port and the container's, 1 to 65535, in quotes.",
        scene.positions.holding("ports", lambda word: value in word.split("/")),
        f"Compose takes it for the {'host' if 'host' in match[0] else 'container'}'s port",
    )


def undefined(match: Match, scene: Scene) -> Told:
    """A service, network, volume, secret or config that is not defined."""
    service, kind, name = match["service"], match["kind"], match["name"]
    section = f"{kind}s"
    key = "depends_on" if match["verb"] == "depends on" else section
    known = scene.positions.below(section)
    return Told(
        f"service `{service}` names {kind} `{name}`, which the file has not",
        meant_hint(name, known, f"Define it under `{section}`, or take it out of `{key}`."),
        scene.positions.item("services", service, key, holds=name),
        f"`{section}` has {', '.join(f'`{one}`' for one in known) or 'none'}",
    )


def disabled(match: Match, scene: Scene) -> Told:
    """A dependency whose profile is not chosen."""
    profile = match["profiles"].split()[0] if match["profiles"].split() else "NAME"
    return Told(
        f"service `{match['service']}` needs `{match['needed']}`, whose profile is not chosen",
        f"Give `--profile {profile}`, or say `required: false` under its `depends_on`.",
        scene.positions.item("services", match["service"], "depends_on", holds=match["needed"]),
    )


def nothing_to_run(match: Match, scene: Scene) -> Told:
    """A service without image and build."""
    return Told(
        f"service `{match['service']}` has neither an `image` nor a `build`",
        "Add `image: NAME` for an image that exists, or `build: .` for a Dockerfile of yours.",
        scene.positions.place("services", match["service"]),
        "without one of them there is nothing to run",
    )


def named_twice(match: Match, scene: Scene) -> Told:
    """Several replicas that shall have one name."""
    service = match["service"]
    return Told(
        f"service `{service}` has a `container_name` and several replicas",
        "Remove `container_name`: containers are named after their service.",
        scene.positions.place("services", service, "container_name"),
        "two containers cannot have one name",
        "container-name-replicas",
    )


def cycle(match: Match, scene: Scene) -> Told:
    """Services that depend on one another."""
    first = match["cycle"].split(" -> ")[0].strip()
    return Told(
        f"services depend on one another in a circle: {match['cycle'].strip()}",
        "Take one `depends_on` away.",
        scene.positions.place("services", first, "depends_on"),
        "each would wait for the other before it starts",
        "dependency-cycle",
    )


def lost_environment_file(match: Match, scene: Scene) -> Told:
    """An `env_file` that is not there."""
    path = scene.path(match["path"])
    return Told(
        f"there is no environment file {path}",
        "Create it, or correct `env_file`. Commands that only look, clean up or go back do "
        "without.",
        scene.naming("env_file", match["path"]),
        "no such file or directory",
        "file-unreadable",
    )


def bad_environment_file(match: Match, scene: Scene) -> Told:
    """An environment file with a line that is none."""
    path = scene.path(match["path"])
    return Told(
        f"the environment file {path} cannot be read",
        "Write `NAME=value`, one on each line; put a value with spaces in quotes.",
        f"{path}:{match['line']}" if match["line"] else path,
        (match["why"] or "").partition(" near ")[0].partition(' "')[0],
        "file-unreadable",
    )


def lost_named_file(match: Match, scene: Scene) -> Told:
    """A file that is included or extended, and not there."""
    path = scene.path(match["path"])
    place = scene.naming("include", match["path"]) or scene.naming("path", match["path"])
    place = place or scene.naming("file", match["path"])
    return Told(
        f"there is no file {path}",
        "Create it, or correct its path, which begins beside the file that names it.",
        place,
        "no such file or directory",
        "file-missing",
    )


def lost_option_file(match: Match, scene: Scene) -> Told:
    """An `--env-file` that is not there."""
    path = scene.path(match["path"].strip())
    return Told(
        f"there is no environment file {path}",
        "Correct the name after --env-file; it begins where the command is run.",
        path,
        "no such file or directory",
        "file-missing",
    )


def lost_base(match: Match, scene: Scene) -> Told:
    """An extended service that is not there."""
    service, name = match["service"], match["name"]
    known = set(scene.positions.below("services")) - {service}
    return Told(
        f"service `{service}` extends `{name}`, which {scene.path(match['file'])} has not",
        meant_hint(name, known, "Correct the name under `extends`."),
        scene.positions.place("services", service, "extends"),
    )


def no_content(match: Match, scene: Scene) -> Told:
    """A secret or config without a source."""
    word = match["section"].removesuffix("s")
    keys = " or ".join(f"`{key}:`" for key in match["keys"].split("|"))
    return Told(
        f"{word} `{match['name']}` has no content",
        f"Give it {keys}.",
        scene.positions.place(match["section"], match["name"]),
        "Compose finds nothing there to fill the file with",
        "source-missing",
    )


def given_twice(match: Match, scene: Scene) -> Told:
    """A key that stands twice in one mapping."""
    named = next((one.label for one in scene.texts if one.label in match.string), "")
    return Told(
        f"`{match['key']}` is given twice: here and in line {match['first']}",
        "Keep one of them.",
        f"{named or scene.texts[-1].label}:{match['line']}",
        "of two equal keys only one can count",
    )


def empty(_match: Match, scene: Scene) -> Told:
    """A file with nothing in it."""
    blank = next((one.label for one in scene.texts if not one.text.strip()), "")
    return Told(
        "the file is empty",
        "Write a service: `services: {web: {image: nginx}}`.",
        blank,
        "there is no service in it to run",
    )


def not_a_mapping(_match: Match, scene: Scene) -> Told:
    """A file that is a list, or a text."""
    return Told(
        "the file does not begin with keys",
        "Write `services:` at its beginning, and the services below, indented.",
        f"{scene.texts[0].label}:1",
        "a Compose file is a mapping of keys to values",
    )
