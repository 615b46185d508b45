#!/usr/bin/env bash
# Stands in for Python: makes a virtual environment, and installs the binary under test into it. Any other call fails.
set -euo pipefail

case "$*" in
  "-I -m venv "*)
    [ "$#" -eq 4 ]
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    ;;
  "-I -m pip install --quiet --only-binary :all: annosync==$VERSION")
    installed="$(dirname "$0")/annosync"
    printf '#!/usr/bin/env bash\nexec "%s" "$@"\n' "$BINARY" > "$installed"
    chmod +x "$installed"
    ;;
  *)
    echo "python: no such call: $*" >&2
    exit 64
    ;;
esac
