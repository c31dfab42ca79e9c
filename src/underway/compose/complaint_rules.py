"""Compose's sentences as patterns, each with who tells it in our words. They are read here only."""

import re
from collections.abc import Callable
from typing import Final

from underway.compose import complaint_tellers as tell
from underway.compose.complaint_scene import Scene, Told
from underway.errors import ConfigurationError

Teller = Callable[[re.Match[str], Scene], Told]


def told(error: ConfigurationError, scene: Scene) -> Told | None:
    """What the first rule says that knows the complaint; None if no rule does."""
    sentence = "\n".join((*error.detail, error.cause))
    for pattern, teller in _RULES:
        match = pattern.search(sentence)
        if match is not None:
            known = teller(match, scene)
            cause = known.cause or scene.shortened(match[0].strip())
            return known._replace(cause=cause, place=known.place or scene.texts[0].label)
    return None


_RULES: Final[tuple[tuple[re.Pattern[str], Teller], ...]] = tuple(
    (re.compile(pattern), teller)
    for pattern, teller in (
        (r"(?P<path>services\.\S+)\.(?P<key>[^\s.]+) false schema", tell.unknown_key),
        (
            (
                r"(?:\(root\)|(?P<path>[\w.\[\]-]*)) ?[Aa]dditional propert(?:y|ies) "
                r"'?(?P<key>[^']+?)'? (?:is )?not allowed"
            ),
            tell.unknown_key,
        ),
        (
            (
                r"line (?P<line>\d+): mapping key \"(?P<key>[^\"]+)\" already defined at line "
                r"(?P<first>\d+)"
            ),
            tell.given_twice,
        ),
        (
            (
                r"(?P<path>[\w.\[\]-]+) must be an? "
                r"(?P<kind>mapping|object|array|list|string|number|integer|boolean)"
            ),
            tell.wrong_kind,
        ),
        (r"(?P<path>[\w.\[\]-]+) value must be one of (?P<choices>'.*')", tell.not_a_choice),
        (
            (
                r"interpolating (?P<path>\S+): failed to cast to expected type: "
                r".*?(?:parsing |: )\"?(?P<value>[^\"\s]*)\"?(?:: invalid syntax)?$"
            ),
            tell.not_a_number,
        ),
        (
            r"'(?P<path>[^']+)' (?P<kind>.*(?:duration|size)):? ['\"](?P<value>[^'\"]*)['\"]",
            tell.not_an_amount,
        ),
        (r"invalid interpolation format for (?P<path>\S+?)\.?(?:\n|$)", tell.template),
        (r"[Ii]nvalid (?:containerPort|hostPort|proto|port)\w*: (?P<value>\S+)", tell.bad_port),
        (
            (
                r"service \"(?P<service>[^\"]+)\" (?P<verb>depends on|refers to) undefined "
                r"(?P<kind>service|network|volume|secret|config) \"?(?P<name>[^\s\":]+)\"?"
            ),
            tell.undefined,
        ),
        (
            (
                r"service \"?(?P<needed>[^\s\"]+)\"? is required by \"?(?P<service>[^\s\"]+)\"? "
                r"but is disabled. Can be enabled by profiles \[(?P<profiles>[^\]]*)\]"
            ),
            tell.disabled,
        ),
        (r"service \"(?P<service>[^\"]+)\" has neither an image nor a build", tell.nothing_to_run),
        (
            (
                r"services\.(?:deploy\.replicas|scale): can't set container_name and "
                r"(?P<service>\S+) as container name"
            ),
            tell.named_twice,
        ),
        (r"dependency cycle detected: (?P<cycle>.+)", tell.cycle),
        (r"env file (?P<path>.+?) not found", tell.lost_environment_file),
        (
            r"failed to read (?P<path>\S+): (?:line (?P<line>\d+): )?(?P<why>.+)",
            tell.bad_environment_file,
        ),
        (r"couldn't find env file: (?P<path>.+)", tell.lost_option_file),
        (r"open (?P<path>[^:\n]+): no such file or directory", tell.lost_named_file),
        (
            (
                r"cannot extend service \"(?P<service>[^\"]+)\" in (?P<file>.+?): "
                r"service \"(?P<name>[^\"]+)\" not found"
            ),
            tell.lost_base,
        ),
        (
            r"(?P<section>secrets|configs)\.(?P<name>\S+): one of (?P<keys>\S+) must be set",
            tell.no_content,
        ),
        (r"empty compose file", tell.empty),
        (
            r"cannot construct !!\w+ .*into cli\.named|[Tt]op-level object must be",
            tell.not_a_mapping,
        ),
    )
)
