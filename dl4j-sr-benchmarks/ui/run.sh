#!/bin/sh
# DL4J's training UI as a user sees it: a short run with --ui, watched in headless Chromium, which has to be on the PATH.
# From the repository's root, built with -Pui:
#
#     sh dl4j-sr-benchmarks/ui/run.sh [FOLDER]
#
# FOLDER (default: target/ui) gets the run, the pages as they were drawn, and a picture of the first.
set -e
work=${1:-target/ui}
rm -rf "$work"
mkdir -p "$work"
port=9321
java -jar dl4j-sr-examples/target/dl4j-sr-examples.jar pretrain --ui=$port --batch 4 --context 64 --out "$work/run" \
    > "$work/log" 2>&1 &
app=$!
trap 'kill $app 2> /dev/null' EXIT
failed=0

check() {
    title=$1
    shift
    if "$@"; then
        echo "ok    $title"
    else
        failed=1
        echo "FAIL  $title"
    fi
}

browse() {
    timeout 60 chromium --headless --no-sandbox --disable-gpu --virtual-time-budget=15000 "$@" 2> /dev/null
}

# a chart in the element of that id, with numbers on its axes, in a page that was drawn whole
draws() {
    browse --dump-dom "http://127.0.0.1:$port/train/$1" > "$work/$1.html" &&
        grep -q "id=\"$2\".*flot-base.*flot-tick-label" "$work/$1.html"
}

is_closed() {
    ! curl -s -m 5 -o /dev/null "http://$1:$port/"
}

seconds=0
until tr '\r' '\n' < "$work/log" | grep -q '^step [2-9][0-9] '; do
    seconds=$((seconds + 1))
    if [ $seconds -gt 180 ] || ! kill -0 $app; then
        cat "$work/log"
        exit 1
    fi
    sleep 1
done
check "the score's curve" draws overview scoreiterchart
check "memory over time" draws system systemMemoryChartPlot
browse --window-size=1280,1000 --screenshot="$work/overview.png" "http://127.0.0.1:$port/train/overview"
check "nothing is loaded from elsewhere" sh -c "! grep -E '(src|href)=\"(https?:)?//' '$work/overview.html'"
for address in $(hostname -I | tr ' ' '\n' | grep '[.]'); do
    check "closed at $address" is_closed "$address"
done
exit $failed
