#!/bin/bash
# Puts a report on a pull request: comment.sh <report.md>. The comment that begins with the report's first line, its marker, is replaced, so that there is
# one for each environment. Wants gh, GH_TOKEN, REPOSITORY (owner/name) and PULL_REQUEST (number).
set -euo pipefail

report=$1
marker=$(head -n 1 "$report")
body=$(mktemp)
trap 'rm -f "$body"' EXIT
# GitHub takes 65,536 characters.
head -c 65000 "$report" >"$body"

ids=$(gh api --paginate "repos/$REPOSITORY/issues/$PULL_REQUEST/comments" --jq '.[] | select(.user.type == "Bot") | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @tsv')
id=$(awk -F '\t' -v marker="$marker" '$2 == marker { print $1; exit }' <<<"$ids")
if [[ -n $id ]]; then
  gh api --silent --method PATCH "repos/$REPOSITORY/issues/comments/$id" --field "body=@$body"
else
  gh api --silent --method POST "repos/$REPOSITORY/issues/$PULL_REQUEST/comments" --field "body=@$body"
fi
