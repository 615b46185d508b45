#!/usr/bin/env bash
# Stands in for GitHub's program: the calls that the workflows make, on files in $HUB, if the workflow's permissions
# allow them. Any other call fails.
set -euo pipefail

refuse() {
  echo "gh: $*" >&2
  exit 64
}
needs() {
  case " $HUB_PERMISSIONS " in
    *" $1=write "*) ;;
    *" $1=read "*) [ "$2" = read ] || refuse "the token may only read $1" ;;
    *) refuse "the token has no permission for $1" ;;
  esac
}
change() {
  jq "${@:2}" "$HUB/$1.json" > "$HUB/$1.new"
  mv "$HUB/$1.new" "$HUB/$1.json"
}

[ "${GH_TOKEN:-}" = github-token ] || refuse "no token"
repository="repos/$GITHUB_REPOSITORY"
case "$*" in
  "api --paginate $repository/issues/"*"/comments?per_page=100")
    needs pull-requests read
    number="${3#"$repository/issues/"}"
    # Each page is a list of its own.
    jq -c --arg number "${number%%/*}" 'map(select(.pull == $number)) | .[:1], .[1:]' "$HUB/comments.json"
    ;;
  "api --method POST $repository/issues/"*"/comments -F body=@"*)
    needs pull-requests write
    [ "$#" -eq 6 ] || refuse "$@"
    number="${4#"$repository/issues/"}"
    change comments --arg number "${number%%/*}" --rawfile body "${6#body=@}" \
      '. + [{id: (length + 101), pull: $number, user: {login: "github-actions[bot]"}, body: $body}]'
    echo '{}'
    ;;
  "api --method PATCH $repository/issues/comments/"*" -F body=@"*)
    needs pull-requests write
    [ "$#" -eq 6 ] || refuse "$@"
    id="${4##*/}"
    jq -e --argjson id "$id" 'any(.id == $id)' "$HUB/comments.json" > /dev/null || refuse "no comment $id"
    change comments --argjson id "$id" --rawfile body "${6#body=@}" 'map(if .id == $id then .body = $body else . end)'
    echo '{}'
    ;;
  "api $repository/pulls/"*)
    needs pull-requests read
    number="${2#"$repository/pulls/"}"
    jq -e --argjson number "$number" '.[] | select(.number == $number)' "$HUB/pulls.json" || refuse "no pull $number"
    ;;
  "api $repository/commits/"*"/pulls")
    needs pull-requests read
    commit="${2#"$repository/commits/"}"
    # Every pull request that brought the commit, merged as it or not.
    jq --arg commit "${commit%/pulls}" 'map(select(.commits | any(. == $commit)))' "$HUB/pulls.json"
    ;;
  "api $repository/actions/workflows/annosync-plan.yml/runs?event=pull_request&head_sha="*"&per_page=1")
    needs actions read
    head="${2##*head_sha=}"
    # The newest first.
    jq --arg head "${head%%&*}" \
      '{workflow_runs: (map(select(.workflow == "annosync-plan.yml" and .head_sha == $head)) | reverse | .[:1])}' \
      "$HUB/runs.json"
    ;;
  "run download "*" --repo $GITHUB_REPOSITORY --name "*" --dir "*)
    needs actions read
    [ "$#" -eq 9 ] || refuse "$@"
    [ -d "$HUB/artifacts/$3/$7" ] || { echo "no artifact matches any of the names provided" >&2; exit 1; }
    mkdir -p "$9"
    cp "$HUB/artifacts/$3/$7"/* "$9"
    ;;
  *)
    refuse "no such call: $*"
    ;;
esac
