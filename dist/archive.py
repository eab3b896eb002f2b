"""Puts one release archive together: dist/archive.py PLATFORM LIBRARY FOLDER; prints the archive's path.

Files lie in it as in the repository, so that links between the pages hold; the library lies at the top, to be dropped into
the engine's folder of connectors. Order, times, owners and modes are fixed: an archive made without that would differ each time.
"""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from datetime import datetime, timezone
from pathlib import Path

from bill import ROOT, Bill

TARGETS = {
    "linux-x86_64": "x86_64-unknown-linux-gnu",
    "linux-arm64": "aarch64-unknown-linux-gnu",
    "linux-musl-x86_64": "x86_64-unknown-linux-musl",
    "windows-x86_64": "x86_64-pc-windows-gnu",
    "macos-arm64": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
}
# What the library does not do alone: pages, the header, and the hosts to be copied, without what tests them.
FROM_THE_REPOSITORY = ["README.md", "CHANGELOG.md", "docs", "include/connector.h", "tests/hosts", ":!tests/hosts/suite", ":!tests/hosts/newcomer"]


def said_by(*words):
    return subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def contents(platform, library, moment):
    """Path in the archive to bytes."""
    tracked = said_by("git", "ls-files", "-z", "--", *FROM_THE_REPOSITORY).split("\0")
    files = {path: (ROOT / path).read_bytes() for path in tracked if path}
    files[library.name] = library.read_bytes()
    bill = Bill(TARGETS[platform])
    compiler = said_by(os.environ.get("RUSTC", "rustc"), "--version").split()[1]
    sha256 = hashlib.sha256(files[library.name]).hexdigest()
    time = datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    files["sbom.cdx.json"] = bill.cyclonedx(library.name, sha256, compiler, time).encode()
    files["THIRD-PARTY-LICENSES.txt"] = bill.licences().encode()
    sysroot = Path(said_by(os.environ.get("RUSTC", "rustc"), "--print", "sysroot").strip())
    standard = sysroot / "share/doc/rust/COPYRIGHT-library.html"
    files["RUST-STANDARD-LIBRARY-LICENSES.html"] = standard.read_bytes()
    sums = "".join(f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n" for path in sorted(files))
    files["SHA256SUMS"] = sums.encode()
    return files


def write_tar(path, top, files, moment):
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name in sorted(files):
                entry = tarfile.TarInfo(f"{top}/{name}")
                entry.size, entry.mtime, entry.mode = len(files[name]), moment, 0o644
                archive.addfile(entry, io.BytesIO(files[name]))


def write_zip(path, top, files, moment):
    time = datetime.fromtimestamp(moment, timezone.utc).timetuple()[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{top}/{name}", time)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, files[name])


def main():
    platform, library, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    moment = int(os.environ.get("SOURCE_DATE_EPOCH") or said_by("git", "log", "-1", "--format=%ct"))
    if said_by("git", "status", "--porcelain"):
        print("this checkout has changes that no commit has: not an archive to release", file=sys.stderr)
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    top = f"EntraId-{version}-{platform}"
    windows = platform.startswith("windows")
    archive = folder / (top + (".zip" if windows else ".tar.gz"))
    (write_zip if windows else write_tar)(archive, top, contents(platform, library, moment), moment)
    print(archive)


main()
