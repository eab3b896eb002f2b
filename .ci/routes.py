"""Counts the exchanges of a journal by route: `python3 .ci/routes.py JOURNAL.jsonl`. Fails when there is none.

Lines are not exchanges: one $batch holds up to twenty exchanges, and each of them is judged by itself.
"""
import collections
import json
import re
import sys


def route(method, url):
    path = re.sub(r"^https?://[^/]+", "", url).split("?")[0]
    path = re.sub(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "/{id}", path)
    return f"{method} {re.sub(r'^/v1.0', '', path)}"


counts = collections.Counter()
with open(sys.argv[1], encoding="utf-8") as journal:
    for line in filter(str.strip, journal):
        exchange = json.loads(line)
        counts[route(exchange["method"], exchange["url"])] += 1
        if exchange["url"].endswith("/$batch"):
            for item in (exchange.get("body") or {}).get("requests", []):
                counts["in a batch: " + route(item["method"], item["url"])] += 1
for name, count in sorted(counts.items()):
    print(f"{count:7}  {name}")
sys.exit(0 if counts else "no exchange to judge")
