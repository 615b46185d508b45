#!/usr/bin/env bash
set -euo pipefail
words=()
markdown=""
on_drift=""
while [ "$#" -gt 0 ]; do
  case "$1" in
    --base) git rev-parse --quiet --verify "$2^{commit}" > /dev/null || { echo "no revision $2" >&2; exit 1; }; shift 2 ;;
    --on-drift) on_drift="$2"; shift 2 ;;
    --also) markdown="${2#markdown=}"; shift 2 ;;
    *) words+=("$1"); shift ;;
  esac
done
code=0
text="$('ANNOSYNC' "${words[@]}")" || code=$?
if [ -n "$text" ]; then
  printf '%s\n' "$text"
fi
if [ -n "$markdown" ] && [ "$code" -ne 1 ]; then
  printf '<!-- annosync:plan street -->\n%s\n' "$text" > "$markdown"
fi
if [ "$on_drift" = fail ] && [ "$code" -eq 2 ]; then
  code=3
fi
exit "$code"
