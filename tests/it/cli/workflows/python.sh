#!/usr/bin/env bash
# Stands in for Python: makes a virtual environment, and installs the binary under test into it. Any other call fails.
set -euo pipefail

case "$*" in
  "-I -m venv "*)
    folder="${*: -1}"
    [ "$*" = "-I -m venv $folder" ] || [ "$*" = "-I -m venv --clear $folder" ]
    mkdir -p "$folder/bin"
    cp "$0" "$folder/bin/python"
    ;;
  "-I -m pip install --quiet --only-binary :all: $WHEEL")
    installed="$(dirname "$0")/annosync"
    printf '#!/usr/bin/env bash\nexec "%s" "$@"\n' "$BINARY" > "$installed"
    chmod +x "$installed"
    ;;
  *)
    echo "python: no such call: $*" >&2
    exit 64
    ;;
esac
