#!/usr/bin/env bash
# From labels of another tool to a change that was reviewed and applied, in an empty folder, against the emulator:
#   examples/first-change.sh LABELS [WHEEL]
# LABELS: files of any format that `annosync import` reads, with a `car` and a `person`. WHEEL: is installed first; without it, annosync must be on the PATH.
# Prints each command, and at the end their number and the seconds that they took.
set -euo pipefail

labels=$(realpath "$1")
wheel=${2:+$(realpath "$2")}
folder=$(mktemp -d)
cd "$folder"
trap 'kill "${emulator:-}" 2> /dev/null || true; rm -rf "$folder"' EXIT

commands=0
run() {
  commands=$((commands + 1))
  echo "\$ $*"
  "$@"
}

# A machine that has Python and git, and no setting of git.
export GIT_CONFIG_GLOBAL="$folder/.gitconfig"
git config --global user.name "Ann" && git config --global user.email ann@example.org
git config --global init.defaultBranch main
if [ -n "$wheel" ]; then
  python3 -m venv .python
  export PATH="$folder/.python/bin:$PATH"
fi

SECONDS=0
if [ -n "$wheel" ]; then
  run pip install --quiet --no-index "$wheel"
fi

# It stands for the app.
coproc annosync emulator --listen 127.0.0.1:0
emulator=$COPROC_PID
read -r ANNOSYNC_ENDPOINT <&"${COPROC[0]}"
export ANNOSYNC_ENDPOINT ANNOSYNC_USER_ID=owner ANNOSYNC_APP_ID=app CLARIFAI_PAT=owner-key

run annosync init street --from "$labels" --ci none
cd street
git init --quiet
run git add --all
run git commit --quiet --message "Import the labels"
run annosync apply -y --summary

# Somebody changes a label: a car is a person.
file=$(grep --recursive --files-with-matches 'concepts: \[car\]' labels | sort | head -n 1)
sed --in-place '0,/concepts: \[car\]/s//concepts: [person]/' "$file"

run annosync diff git:HEAD . || [ $? -eq 2 ]   # 2: they differ
run annosync plan --base HEAD --out .annosync/plan.json
run annosync apply .annosync/plan.json --manifest . --base HEAD -y --summary
annosync plan --detailed-exitcode > /dev/null
echo "$commands commands, $SECONDS s"
