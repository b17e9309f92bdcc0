"""Puts into the documentation what it quotes from the source, so that it is what the program runs.

Usage: python3 quote.py SOURCE_DIR

Writes README.md and the pages in docs/ anew. What they quote, a comment says there, and the quotation stands below it:

    <!-- quote src/server/listener.cpp: awaitable<void> listener::run -->   a block of code
    <!-- quote src/server/listener.hpp -->                                  what the file's first comment says it is for

The block of code begins with the one line of the file that begins with this text, be it indented or not, and ends when
its brackets are closed again, with the first line that ends with `;` or `}` or that an empty line follows. So it may
begin with a comment, and then has what that is about, too.
"""

import pathlib
import re
import sys
import textwrap

QUOTATION = re.compile(r"(?m)^(<!-- quote ([^\s:]+)(?:: (.+?))? -->\n)(?:```(?s:.*?)\n```\n|(?:>.*\n)+)?")
LITERAL_OR_COMMENT = re.compile(r"""\d'\d|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|//.*""")


class Unquotable(Exception):
    """What is to be quoted is not there."""


def documents(root):
    """The pages that may quote, and link."""
    return [root / "README.md", *sorted(root.glob("docs/**/*.md"))]


def excerpt(source, begin):
    """The lines of a block of code, indented as it is there."""
    lines = source.splitlines()
    found = [number for number, line in enumerate(lines) if line.lstrip().startswith(begin)]
    if len(found) != 1:
        raise Unquotable(f"{len(found)} lines begin with '{begin}', where one should")
    depth = 0
    for number in range(found[0], len(lines)):
        code = LITERAL_OR_COMMENT.sub("", lines[number]).rstrip()
        depth += sum(map(code.count, "({[")) - sum(map(code.count, ")}]"))
        is_last = number + 1 == len(lines) or not lines[number + 1].strip()
        if depth <= 0 and (code.endswith((";", "}")) or is_last):
            return lines[found[0]:number + 1]
    raise Unquotable(f"what begins with '{begin}' has no end")


def purpose(source):
    """The first paragraph of a file's first comment, as one line."""
    found = re.search(r"(?m)^// .*\n(?:// .*\n)*", source)
    if not found:
        raise Unquotable("it has no comment that says what it is for")
    return " ".join(line.removeprefix("// ") for line in found[0].splitlines())


def quotation(root, file, begin):
    """As it is to stand in Markdown."""
    try:
        source = (root / file).read_text(encoding="utf-8")
        if begin is None:
            return f"> `{file}`: {purpose(source)}\n"
        code = textwrap.dedent("\n".join(excerpt(source, begin)))
    except OSError as error:
        raise Unquotable(f"{file}: {error.strerror}") from error
    except Unquotable as error:
        raise Unquotable(f"{file}: {error}") from error
    return f"```cpp\n// {file}\n{code}\n```\n"


def refreshed(text, root):
    """A page with what it quotes as that is now. Raises Unquotable."""
    return QUOTATION.sub(lambda found: found[1] + quotation(root, found[2], found[3]), text)


def main():
    if len(sys.argv) != 2:
        sys.exit(f"Usage: {sys.argv[0]} SOURCE_DIR")
    root = pathlib.Path(sys.argv[1])
    for page in documents(root):
        text = page.read_text(encoding="utf-8")
        try:
            now = refreshed(text, root)
        except Unquotable as error:
            sys.exit(f"quote: {page.relative_to(root)}: {error}")
        if now != text:
            page.write_text(now, encoding="utf-8")
            print(page.relative_to(root))


if __name__ == "__main__":
    main()
