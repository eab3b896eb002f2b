"""What is inside the library: its third-party licences and its bill of materials (CycloneDX 1.6).

Cargo says which packages are linked on a platform (`cargo tree` without build scripts and macros, which run while building);
`cargo metadata` and Cargo.lock say the rest. Cargo.lock is not the list: it also has what only tests and other
platforms use. Nothing here hangs on the clock or on the machine: the same sources give the same bytes.
"""

import json
import re
import subprocess
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "entra-id"
LICENCE_FILE = re.compile(r"(?i)(licen[sc]e|copying|copyright|notice|unlicense)([-._].*)?$")
# Texts for packages that come without one, by the name of the licence.
STANDARD = {"MIT": ROOT / "docs/LICENSE-MIT", "Zlib": ROOT / "dist/Zlib.txt"}


def cargo(*words):
    answer = subprocess.run(["cargo", *words, "--locked"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return answer.stdout


class Bill:
    """The packages of one platform, ours first."""

    def __init__(self, target):
        tree = cargo("tree", "-p", PACKAGE, "--target", target, "-e", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe")
        linked = {tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()}
        metadata = json.loads(cargo("metadata", "--format-version", "1", "--filter-platform", target))
        self.packages = {p["id"]: p for p in metadata["packages"] if (p["name"], "v" + p["version"]) in linked}
        if len(self.packages) != len(linked):
            raise SystemExit(f"cargo tree names {len(linked)} packages and cargo metadata knows {len(self.packages)} of them")
        self.nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
        lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
        self.checksums = {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}
        self.root = next(p for p in self.packages.values() if p["name"] == PACKAGE)

    def third_parties(self):
        theirs = [p for p in self.packages.values() if p["source"] is not None]
        return sorted(theirs, key=lambda p: (p["name"], p["version"]))

    def cyclonedx(self, library, sha256, compiler, moment):
        """The document as text. `library` is the file's name, `moment` the time of the sources."""

        def component(package):
            name, version = package["name"], package["version"]
            it = {
                "type": "library",
                "bom-ref": reference(package),
                "name": name,
                "version": version,
                "licenses": [{"expression": expression(package)}],
                "purl": f"pkg:cargo/{name}@{version}",
            }
            if package["authors"]:
                it["authors"] = [{"name": author} for author in package["authors"]]
            if package["description"]:
                it["description"] = " ".join(package["description"].split())
            if self.checksums.get((name, version)):
                it["hashes"] = [{"alg": "SHA-256", "content": self.checksums[name, version]}]
            if package["repository"]:
                it["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
            return it

        product = component(self.root)
        product["name"] = library
        product["hashes"] = [{"alg": "SHA-256", "content": sha256}]
        others = sorted((p for p in self.packages.values() if p is not self.root), key=lambda p: (p["name"], p["version"]))
        standard = {
            "type": "library",
            "bom-ref": "rust-standard-library",
            "name": "std",
            "version": compiler,
            "description": "The Rust standard library",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
        }
        document = {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": "urn:uuid:" + str(uuid.uuid5(uuid.NAMESPACE_OID, sha256)),
            "version": 1,
            "metadata": {"timestamp": moment, "component": product},
            "components": [component(p) for p in others] + [standard],
            "dependencies": [
                {"ref": reference(p), "dependsOn": sorted(self.uses(p))} for p in [self.root, *others]
            ] + [{"ref": "rust-standard-library"}],
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"

    def uses(self, package):
        for dependency in self.nodes[package["id"]]["deps"]:
            linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if linked and dependency["pkg"] in self.packages:
                yield reference(self.packages[dependency["pkg"]])
        if package is self.root:
            yield "rust-standard-library"

    def licences(self):
        """Every package with its licence, then each text once, with those it came with."""
        theirs = self.third_parties()
        texts = {}
        for package in theirs:
            for text in licence_texts(package):
                texts.setdefault(text, []).append(f"{package['name']} {package['version']}")
        lines = [
            "Packages of others in this library, each with its licence. A choice (OR) is yours; where MIT or Apache-2.0 is",
            "among them, this project uses the package under that one. Sources of each, unchanged, under the name and version",
            "that stand here: its repository, and Rust's package registry. The Rust standard library is in it too.",
            "",
        ]
        for p in theirs:
            lines.append(f"{p['name']} {p['version']}: {expression(p)}" + (f" ({p['repository']})" if p["repository"] else ""))
        for text, packages in texts.items():
            lines += ["", "=" * 100, *wrapped(sorted(set(packages))), "-" * 100, "", text]
        return "\n".join(lines) + "\n"


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def expression(package):
    """SPDX; older packages wrote a slash for OR."""
    return re.sub(r"\s*/\s*", " OR ", package["license"])


def licence_texts(package):
    folder = Path(package["manifest_path"]).parent
    files = sorted(f for f in folder.rglob("*") if f.is_file() and LICENCE_FILE.match(f.name) and f.suffix not in {".rs", ".h"})
    if files:
        return [normal(file.read_text(encoding="utf-8", errors="replace")) for file in files]
    choices = [choice.strip(" ()") for choice in expression(package).split(" OR ")]
    standard = next((STANDARD[choice] for choice in choices if choice in STANDARD), None)
    if standard is None:
        raise SystemExit(f"{package['name']} comes without a licence text, and there is none for {expression(package)} in dist/bill.py")
    authors = ", ".join(package["authors"]) or f"the authors of {package['name']}"
    return [normal(re.sub(r"(?m)^Copyright \(c\) .*$", f"Copyright (c) {authors}", standard.read_text(), count=1))]


def normal(text):
    """One line end, no spaces at the ends of lines: else one licence counts as many."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip("\n").split("\n"))


def wrapped(words):
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) + 2 > 100:
            lines.append("")
        lines[-1] += (", " if lines[-1] else "") + word
    return lines
