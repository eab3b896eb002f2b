#!/usr/bin/env python3
"""What the library that is shipped weighs, and whose code it is: a table in Markdown from the symbols of an unstripped build.

    tests/callgrind/size.py        after tests/callgrind/run, or any build of it in target/callgrind

A function counts for the package its name begins with, so what is generic counts for where it was written, and what was
inlined for where it went. Without a package are C and assembler, nearly all of it ring's.
"""

import re
import subprocess
from collections import Counter
from pathlib import Path

LIBRARY = Path(__file__).parents[2] / "target/callgrind/dist/libEntraId.so"
# The packages that std is made of.
STD = {"core", "alloc", "std", "std_detect", "hashbrown", "gimli", "addr2line", "object", "rustc_demangle", "unwind"}
OURS = {"EntraId", "entra_id_core", "connector_abi"}


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def package(name):
    """`<h2::proto::Streams as …>::poll` → h2; dropping something counts for what is dropped; a name of C has none."""
    name = re.sub(r"^core::ptr::drop_in_place<", "", name)
    found = re.match(r"[<&*(\[]*(?:mut |dyn |const |impl )*([A-Za-z_]\w*)::", name)
    if found:
        return "std" if found.group(1) in STD else found.group(1)
    return "without a package"


def main():
    sections = {line.split()[0]: int(line.split()[1]) for line in run("size", "-A", LIBRARY).splitlines()
                if re.match(r"\.\w\S*\s+\d+\s+\d+", line)}
    text = Counter()
    for line in run("nm", "--print-size", "--demangle", "--defined-only", LIBRARY).splitlines():
        found = re.match(r"[0-9a-f]+ ([0-9a-f]+) [tTwW] (.*)", line)
        if found:
            text[package(found.group(2))] += int(found.group(1), 16)
    known = sum(text.values())
    stripped = LIBRARY.with_suffix(".stripped")
    subprocess.run(["strip", "-o", stripped, LIBRARY], check=True)
    print(f"Stripped: {stripped.stat().st_size / 1024:,.0f} KiB\n")
    print("| section | KiB |\n|---|---|")
    for name, size in Counter(sections).most_common():
        if not name.startswith((".debug", ".comment")) and size > 16 * 1024:
            print(f"| `{name}` | {size / 1024:,.0f} |")
    print("\n| code of | KiB | of all code |\n|---|---|---|")
    own = sum(text.pop(name, 0) for name in OURS)
    print(f"| this project | {own / 1024:,.0f} | {own / known:.0%} |")
    rest = text.most_common()
    for name, size in rest[:20]:
        print(f"| {name} | {size / 1024:,.0f} | {size / known:.0%} |")
    others = sum(size for _, size in rest[20:])
    print(f"| {len(rest[20:])} others | {others / 1024:,.0f} | {others / known:.0%} |")


if __name__ == "__main__":
    main()
