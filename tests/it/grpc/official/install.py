"""Installs the official clients for `python` or `nodejs` below a folder: `install.py FOLDER CLIENT`.

A folder that was made from the same list of packages is used again. Several processes may ask for it at once.
"""

import fcntl
import shutil
import signal
import subprocess
import sys
from pathlib import Path

PACKAGES = Path(__file__).with_name("packages")
# Without an answer of the package index, the tests are skipped soon enough.
SECONDS = 300


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, timeout=SECONDS, stdin=subprocess.DEVNULL, **options)


def python(folder):
    listed = PACKAGES / "requirements.txt"
    environment, tools = folder / "venv", folder / "tools"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    interpreter = environment / "bin/python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    try:
        # It needs a quarter of pip's time.
        run(*pip, "install", "--no-compile", "--target", tools, "uv", stderr=subprocess.DEVNULL)
        run(tools / "bin/uv", "pip", "install", "--quiet", "--python", interpreter, "--requirement", listed)
        shutil.rmtree(tools)
    except (OSError, subprocess.SubprocessError):
        run(*pip, "--python", interpreter, "install", "--no-compile", "--requirement", listed)


def nodejs(folder):
    shutil.copy(PACKAGES / "package.json", folder)
    run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", cwd=folder)


CLIENTS = {
    "python": (python, "requirements.txt"),
    "nodejs": (nodejs, "package.json"),
}


def main(parent, client):
    # A stop ends the programs that this one started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    install, listed = CLIENTS[client]
    parent = Path(parent)
    parent.mkdir(parents=True, exist_ok=True)
    folder, done = parent / client, parent / client / "installed.txt"
    wanted = f"{sys.executable} {sys.version}\n{(PACKAGES / listed).read_text()}"
    with open(parent / f"{client}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_text() == wanted:
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        install(folder)
        done.write_text(wanted)


try:
    main(*sys.argv[1:])
except (OSError, subprocess.SubprocessError) as error:
    sys.exit(f"the official client for {sys.argv[2]} cannot be installed: {error}")
