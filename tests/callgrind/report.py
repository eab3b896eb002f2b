"""The two small jobs of tests/callgrind/run that a shell is bad at: the documents for a simulator, and the table.

`documents HELLO` prints ConfigJson and AuthJson, a line each. `table FOLDER` reads what was counted there.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path


def documents(hello):
    said = json.loads(Path(hello).read_text().splitlines()[0])
    table = Path("plugin/core/src/types/user.rs").read_text()
    config = {
        "TenantId": said["tenantId"], "GraphEndpoint": said["origin"], "AuthorityHost": said["origin"],
        "ImportGroups": False, "ImportMemberships": False,
        "UserAttributes": re.findall(r'extra\("(\w+)"', table),
    }
    auth = {"Mode": "ClientSecret", "ClientId": said["clientId"], "ClientSecret": said["clientSecret"]}
    print(json.dumps(config))
    print(json.dumps(auth))


def total(folder, name):
    """All instructions of a run; callgrind's own sum."""
    text = (folder / f"{name}.out").read_text()
    return int(re.search(r"^(?:summary|totals): (\d+)", text, re.M).group(1))


def by_function(folder, name):
    """Instructions by function. callgrind_annotate tells them apart by file, too, since code is inlined from elsewhere."""
    counts = Counter()
    for line in (folder / f"{name}.txt").read_text().splitlines():
        found = re.match(r"\s*([\d,]+) \([\d. ]+%\)\s+[^:]*:(.+?)(?: \[[^\]]*\])?$", line)
        if found:
            counts[found.group(2)] += int(found.group(1).replace(",", ""))
    return counts


def table(folder):
    folder = Path(folder)
    (few, _), (many, batches) = (map(int, (folder / f"{name}.rows").read_text().split()) for name in ("small", "large"))
    rows = many - few
    each = (total(folder, "large") - total(folder, "small")) / rows
    boundary = total(folder, "boundary") / many
    print(f"{many:,} rows in {batches:,} batches\n")
    print("| | instructions a row | share |")
    print("|---|---|---|")
    print(f"| everything | {each:,.0f} | |")
    print(f"| `OperationNext` and `BufferRelease`, with all they call | {boundary:,.0f} | {boundary / each:.2%} |")
    functions = by_function(folder, "large")
    functions.subtract(by_function(folder, "small"))
    for name, count in functions.most_common(10):
        print(f"| `{name}` alone | {count / rows:,.0f} | {count / rows / each:.1%} |")


if __name__ == "__main__":
    {"documents": documents, "table": table}[sys.argv[1]](sys.argv[2])
