#!/usr/bin/env python3
"""Makes the archives of a release from its wheels: the program, licence, readme, changelog, man pages and completions.

usage: archives.py WHEELS OUT

WHEELS is a folder. One of its programs must run on this machine: it prints the man pages and the completions.
OUT gets one archive for each wheel, and SHA256SUMS. The same wheels give the same bytes.
"""

import fnmatch
import gzip
import hashlib
import io
import platform
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Rust's names of the wheels' platforms; `cargo binstall` looks for these.
TARGETS = {
    "musllinux_*_x86_64": "x86_64-unknown-linux-musl",
    "musllinux_*_aarch64": "aarch64-unknown-linux-musl",
    "*linux*_x86_64": "x86_64-unknown-linux-gnu",
    "*linux*_aarch64": "aarch64-unknown-linux-gnu",
    "macosx_*_x86_64": "x86_64-apple-darwin",
    "macosx_*_arm64": "aarch64-apple-darwin",
    "win_amd64": "x86_64-pc-windows-msvc",
}
SHELLS = {
    "bash": "annosync.bash",
    "elvish": "annosync.elv",
    "fish": "annosync.fish",
    "powershell": "_annosync.ps1",
    "zsh": "_annosync",
}
# A fixed time; zip knows none before 1980.
TIME = 315532800


def target_of(wheel):
    """The target of a wheel, by the last part of its name."""
    tag = wheel.stem.split("-")[-1]
    for pattern, target in TARGETS.items():
        if fnmatch.fnmatch(tag, pattern):
            return target
    sys.exit(f"{wheel}: no target is known for the platform {tag}")


def program_of(wheel):
    """The name and the bytes of a wheel's program."""
    with zipfile.ZipFile(wheel) as file:
        found = [name for name in file.namelist() if fnmatch.fnmatch(name, "*.data/scripts/annosync*")]
        if len(found) != 1:
            sys.exit(f"{wheel}: holds {len(found)} programs, not 1")
        return Path(found[0]).name, file.read(found[0])


def documents(program):
    """The man pages and completions that a program prints, by their paths in the archive."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "annosync"
        path.write_bytes(program)
        path.chmod(0o755)
        pages = Path(folder) / "pages"
        subprocess.run([path, "man", "--out", pages], check=True, stdout=subprocess.DEVNULL)
        made = {f"man/man1/{page.name}": page.read_bytes() for page in sorted(pages.iterdir())}
        for shell, name in SHELLS.items():
            script = subprocess.run([path, "completions", shell], check=True, stdout=subprocess.PIPE)
            made[f"completions/{name}"] = script.stdout
    return made


def tar_of(files):
    """A compressed tar archive of files, which are triples of a path, a mode and bytes."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for path, mode, content in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), mode, TIME
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), mtime=TIME)


def zip_of(files):
    """A zip archive of the same."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, mode, content in files:
            entry = zipfile.ZipInfo(path, time.gmtime(TIME)[:6])
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return zipped.getvalue()


def main(wheels, out):
    wheels = {target_of(wheel): wheel for wheel in sorted(Path(wheels).glob("*.whl"))}
    here = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    # A static program runs on every Linux.
    ours = [f"{here}-unknown-linux-musl", f"{here}-unknown-linux-gnu", f"{here}-apple-darwin"]
    ours = [wheels[target] for target in ours if target in wheels]
    if not ours:
        sys.exit(f"none of {len(wheels)} wheels runs on this machine ({here})")
    shared = documents(program_of(ours[0])[1])
    for name in ["LICENSE", "README.md", "CHANGELOG.md"]:
        shared[name] = (ROOT / name).read_bytes()
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    sums = ""
    for target, wheel in sorted(wheels.items()):
        folder = f"annosync-v{wheel.stem.split('-')[1]}-{target}"
        name, program = program_of(wheel)
        files = [(f"{folder}/{name}", 0o755, program)]
        files += [(f"{folder}/{path}", 0o644, content) for path, content in sorted(shared.items())]
        is_windows = "windows" in target
        archive = zip_of(files) if is_windows else tar_of(files)
        path = out / f"{folder}{'.zip' if is_windows else '.tar.gz'}"
        path.write_bytes(archive)
        sums += f"{hashlib.sha256(archive).hexdigest()}  {path.name}\n"
        print(f"{path}: {len(archive):,} bytes")
    (out / "SHA256SUMS").write_text(sums)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
