#!/bin/sh
# Projects that use dl4j-sr as a user does, through a local Maven repository: Maven in three orders of dependencies and
# with the BOM, each with the class path forwards and backwards; a Spring Boot jar; Gradle, where it is on the PATH.
# From the repository's root (600 MB to download the first time: DL4J's own artifacts of all it can do; 1.4 GB more for
# Gradle, which takes those of all platforms):
#
#     sh dl4j-sr-benchmarks/consumers/run.sh [FOLDER]
#
# FOLDER (default: target/consumers) gets the repository and everything that is built.
set -e
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-target/consumers}
mkdir -p "$work"
work=$(cd "$work" && pwd)
maven="mvn -B -q -Dmaven.repo.local=$work/repository"
# of the host's platform alone
platform="-Djavacpp.platform=linux-$(uname -m)"
failed=0

# TITLE, then a command that has to print "trained: BFLOAT16"
trains() {
    title=$1
    shift
    if "$@" > "$work/output" 2>&1 && grep -q '^trained: BFLOAT16, backend org.dl4jsr' "$work/output"; then
        echo "ok    $title; $(grep '^JavaCPP' "$work/output" | sed 's|of .*/\([^/]*\.jar\).*|of \1|')"
    else
        failed=1
        echo "FAIL  $title"
        tail -n 20 "$work/output"
    fi
}

$maven -pl dl4j-sr-bom,dl4j-sr-core -am -Dmaven.test.skip install

for profile in dl4j-sr-alone dl4j-sr-first dl4j-first bom; do
    $maven -f "$here/maven" -P$profile $platform compile dependency:build-classpath \
        -Dmdep.outputFile="$work/classpath"
    forwards="$here/maven/target/classes:$(cat "$work/classpath")"
    backwards=$(echo "$forwards" | tr ':' '\n' | tac | paste -sd:)
    trains "Maven, $profile" java -cp "$forwards" consumer.Consumer
    trains "Maven, $profile, class path backwards" java -cp "$backwards" consumer.Consumer
done

$maven -f "$here/boot" package
trains "Spring Boot" java -jar "$here/boot/target/boot-consumer-1.jar"

if command -v gradle > /dev/null; then
    gradle="gradle --no-daemon -q -p $here/gradle --project-cache-dir $work/gradle run -Prepository=$work/repository"
    trains "Gradle" $gradle
    case $(gradle --version | grep '^Gradle ') in
        "Gradle 4."*) echo "      Gradle before 5 knows no BOM: not tried with it" ;;
        *) trains "Gradle, bom" $gradle -Pbom ;;
    esac
else
    echo "      Gradle is not on the PATH: not tried"
fi
exit $failed
