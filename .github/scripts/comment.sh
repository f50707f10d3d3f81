#!/bin/bash
# Puts a report on a pull request: comment.sh <report.md>. The comment of STACK's last report is replaced, so that there is one for each
# environment. Wants gh, GH_TOKEN, STACK, REPOSITORY (owner/name) and PULL_REQUEST (number). The report was written by the code of the pull
# request: it is a text here, and says neither where it goes nor whose it is.
set -euo pipefail

report=$1
# GitHub takes 65,536 characters.
largest=65000

refuse() {
  printf 'no comment: %s\n' "$1" >&2
  exit 1
}
[[ $STACK =~ ^[A-Za-z0-9_.-]+$ ]] || refuse "STACK is no name of an environment"
[[ $PULL_REQUEST =~ ^[1-9][0-9]*$ ]] || refuse "PULL_REQUEST is no number"
[[ -f $report && ! -L $report ]] || refuse "the report is no file"
(($(stat -c %s "$report") <= 10 * largest)) || refuse "the report is far too large"

marker="<!-- thanos-stack report: $STACK -->"
first=$(head -n 1 "$report" | head -c 1000)
[[ $first == "$marker" ]] || refuse "the report does not begin as one of $STACK"

body=$(mktemp)
trap 'rm -f "$body"' EXIT
# A cut in the middle of a character leaves no half of it: iconv leaves it out and says so by its exit code. No control character is passed
# on, nor what turns the direction of text.
head -c "$largest" "$report" | { iconv -c -f utf-8 -t utf-8 2>/dev/null || true; } | tr -d '\000-\010\013-\037\177' |
  LC_ALL=C sed 's/\xC2[\x80-\x9F]//g; s/\xE2\x80[\xAA-\xAE]//g; s/\xE2\x81[\xA6-\xA9]//g' >"$body"
printf '\n\n<sub>Written by a run of this pull request'\''s own code.</sub>\n' >>"$body"

ids=$(gh api --paginate "repos/$REPOSITORY/issues/$PULL_REQUEST/comments" --jq '.[] | select(.user.type == "Bot") | [.id, (.body | split("\n")[0] | rtrimstr("\r"))] | @tsv')
id=$(awk -F '\t' -v marker="$marker" '$2 == marker { print $1; exit }' <<<"$ids")
if [[ -n $id ]]; then
  gh api --silent --method PATCH "repos/$REPOSITORY/issues/comments/$id" --field "body=@$body"
else
  gh api --silent --method POST "repos/$REPOSITORY/issues/$PULL_REQUEST/comments" --field "body=@$body"
fi
