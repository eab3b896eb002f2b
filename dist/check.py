"""Checks a release archive as its reader would: dist/check.py PLATFORM ARCHIVE.

Everything happens in an empty folder with what was unpacked there, never with what lies in the repository: an archive that
lacks a file must fail. Where this machine can run the library, a host from the archive imports a simulated tenant with it;
where it cannot, the last line says so. Exit 0, 1, or 3 with "NOT RUN" and what cannot be had here.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
TOOLS = OUTPUT / "packing/tools"
GLIBC = (2, 28)


def run(*words, **more):
    return subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def holds(condition, otherwise):
    if not condition:
        raise SystemExit(f"the archive is wrong: {otherwise}")


def unpacked(archive, folder):
    shutil.unpack_archive(archive, folder)
    tops = list(folder.iterdir())
    holds(len(tops) == 1, f"it has {len(tops)} entries at its top")
    return tops[0]


def sums(top):
    listed = dict(reversed(line.split("  ", 1)) for line in (top / "SHA256SUMS").read_text().splitlines())
    found = {str(file.relative_to(top)) for file in top.rglob("*") if file.is_file()} - {"SHA256SUMS"}
    holds(found == set(listed), f"SHA256SUMS and files differ: {sorted(found ^ set(listed))}")
    for name, expected in listed.items():
        holds(hashlib.sha256((top / name).read_bytes()).hexdigest() == expected, f"{name} is not what SHA256SUMS says")
    for needed in ["README.md", "include/connector.h", "docs/LICENSE-MIT", "docs/LICENSE-APACHE", "THIRD-PARTY-LICENSES.txt"]:
        holds(needed in found, f"{needed} is missing")
    return len(found)


def links(top):
    """What the README points at is there."""
    for link in re.findall(r"\]\(([^)#\s]+)", (top / "README.md").read_text()):
        holds("://" in link or (top / link).exists(), f"README.md points at {link}, which is not in it")


def bill(top, library):
    text = (top / "sbom.cdx.json").read_text()
    document = json.loads(text)
    product = document["metadata"]["component"]
    holds(product["hashes"][0]["content"] == hashlib.sha256(library.read_bytes()).hexdigest(), "sbom.cdx.json is of another library")
    licences = (top / "THIRD-PARTY-LICENSES.txt").read_text()
    for component in document["components"]:
        named = f"\n{component['name']} {component['version']}: "
        ours = component["name"] in {"std", "entra-id-core", "connector-abi"}
        holds(ours or named in licences, f"THIRD-PARTY-LICENSES.txt does not name {component['name']}")
    if not (TOOLS / "cyclonedx").exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", TOOLS]
        if subprocess.run([*map(str, pip), "cyclonedx-python-lib[json-validation]"], check=False).returncode != 0:
            return "NOT RUN: this cannot be had here: cyclonedx-python-lib (pip), which knows the schema of an SBOM"
    sys.path.insert(0, str(TOOLS))
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    holds(wrong is None, f"sbom.cdx.json is no CycloneDX: {wrong}")
    return None


def no_paths_of_this_machine(library):
    for place in {Path.home(), ROOT, Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))}:
        holds(str(place).encode() + b"/" not in library.read_bytes(), f"{library.name} names {place}")


def elf(platform, top, library):
    promised = set(re.findall(r"(?m)^extern \w+ (\w+)\(", (top / "include/connector.h").read_text()))
    exported = {line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()}
    holds(exported == promised | {"_1as_0lib_1header_0root_bmodule_bloader"}, f"it exports {sorted(exported ^ promised)} otherwise")
    dynamic = run("readelf", "-dW", library)
    holds("NODELETE" in dynamic and "[libEntraId.so]" in dynamic, f"no NODELETE or no soname: {dynamic}")
    needed = re.findall(r"NEEDED.*\[(.*)\]", dynamic)
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", run("readelf", "-VW", library))}
    if "musl" in platform:
        holds(needed == ["libc.so"] and not versions, f"it needs {needed} and glibc {sorted(versions)}")
        return "needs libc.so of musl alone"
    holds(versions and max(versions) <= GLIBC, f"it needs glibc {max(versions, default='none')}, promised is {GLIBC}")
    holds(all(re.match(r"(libc|libm|libdl|libpthread|librt|libgcc_s|ld-linux.*)\.so", name) for name in needed), f"it needs {needed}")
    return f"highest glibc symbol {'.'.join(map(str, max(versions)))}, needs {' '.join(needed)}"


def host(platform, top, scratch):
    """The command of a host out of the archive, or why there is none."""
    own = {"linux-x86_64": "x86_64", "linux-arm64": "aarch64"}.get(platform)
    if own == os.uname().machine:
        return [sys.executable, "-I", "-S", top / "tests/hosts/python/host.py"], None
    source, program = top / "tests/hosts/c/host.c", scratch / "host.exe"
    if platform == "linux-musl-x86_64":
        if not shutil.which("musl-gcc"):
            return None, "NOT RUN: this cannot be had here: musl-gcc (apt: musl-tools)"
        run("musl-gcc", "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-I", top / "include", source, "-o", program, "-ldl", "-pthread")
        return [program], None
    if platform == "windows-x86_64":
        wine = shutil.which("wine64") or "/usr/lib/wine/wine64"
        prefix = OUTPUT / "windows/prefix"
        if not (Path(wine).exists() and prefix.exists() and shutil.which("x86_64-w64-mingw32-gcc")):
            return None, "not run here, where no Wine is set up; .ci/windows sets one up and runs it"
        run("x86_64-w64-mingw32-gcc", "-std=c99", "-pthread", "-static", "-I", top / "include", source, "-o", program)
        os.environ.update(WINEPREFIX=str(prefix), WINEDEBUG="-all", WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe=d")
        return [wine, program], None
    return None, "not run: nothing here can"


def imports(command, top, scratch):
    """An import from a simulated tenant by that host, in an empty folder with the library alone."""
    folder = scratch / "try"
    (folder / "Connectors").mkdir(parents=True)
    for library in [*top.glob("*.so"), *top.glob("*.dll")]:
        shutil.copy(library, folder / "Connectors")
    subprocess.run(["cargo", "build", "--release", "-q", "-p", "host-harness"], cwd=ROOT, check=True)
    simulator = [OUTPUT / "release/host-harness", "simulate", "--port", "0", "--until-stdin-ends"]
    # Leaving the block ends its standard input, and so the simulator.
    with subprocess.Popen(simulator, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        hello = json.loads(running.stdout.readline())
        config = {"TenantId": hello["tenantId"], "GraphEndpoint": hello["origin"], "AuthorityHost": hello["origin"]}
        auth = {"Mode": "ClientSecret", "ClientId": hello["clientId"], "ClientSecret": hello["clientSecret"]}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "auth.json").write_text(json.dumps(auth))
        order = ["--connector", "EntraId", "--config", "config.json", "--auth", "auth.json", "--out", "rows.ndjson", "--watermark", "mark"]
        said = json.loads(run(*command, *order, cwd=folder, stderr=subprocess.DEVNULL, timeout=600))
        running.stdin.close()
    rows = (folder / "rows.ndjson").read_bytes().splitlines()
    holds(said["status"] == 1 and said["records"] == len(rows) > 1000 and (folder / "mark").exists(), f"the import: {said}")
    return f"{len(rows):,} records"


def main():
    platform, archive = sys.argv[1], Path(sys.argv[2]).resolve()
    missing = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "unpacked").mkdir()
        top = unpacked(archive, scratch / "unpacked")
        library = next(top.glob("*EntraId.*"))
        facts = [f"{archive.name}: {archive.stat().st_size:,} bytes, library {library.stat().st_size:,}", f"{sums(top)} files"]
        links(top)
        missing.append(bill(top, library))
        no_paths_of_this_machine(library)
        if platform.startswith("linux"):
            facts.append(elf(platform, top, library))
        command, why = host(platform, top, scratch)
        if command:
            name = {"linux-x86_64": "Python host", "linux-arm64": "Python host"}.get(platform, "C host")
            facts.append(f"{name}: {imports(command, top, scratch)}")
        else:
            facts.append(why.removeprefix("NOT RUN: "))
            missing.append(why if why.startswith("NOT RUN") else None)
    print("; ".join(facts))
    missing = [line for line in missing if line]
    print(*missing, sep="\n", end="\n" if missing else "")
    return 3 if missing else 0


sys.exit(main())
