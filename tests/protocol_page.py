"""What stands on docs/protocol.md, for tests that play it."""

import pathlib
import re

PAGE = pathlib.Path(__file__).parent.with_name("docs") / "protocol.md"


def blocks(language):
    """Heading -> the fenced blocks of this language below it, of all docs/protocol.md."""
    sections = re.findall(r"(?ms)^##+ ([^\n]*)\n(.*?)(?=^##|\Z)", PAGE.read_text(encoding="utf-8"))
    found = {heading: re.findall(rf"(?ms)^```{language}\n(.*?)^```$", body) for heading, body in sections}
    return {heading: inside for heading, inside in found.items() if inside}


def examples():
    """Heading -> the JSON messages below it, as texts."""
    return {heading: "".join(inside).splitlines() for heading, inside in blocks("json").items()}
