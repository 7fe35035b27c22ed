#!/usr/bin/env bash
# What README.md and the pages in docs show is true: their blocks of C compile without a warning, those that are programs
# run, and print what a block of `text` that follows says; the names they use are declared. The links of all pages lead to
# files, and the tests that docs/python_tests.md names are there.
#
# A block with main is a program. Any other is a fragment: functions, compiled as they stand, or, where no line begins
# with an opening brace, statements, put into a function. A comment before it in the document, <!-- c: ... -->, holds
# what else it needs to compile; a reader does not see that.
#
# ctest: timeout=120
set -uo pipefail
export LC_ALL=C

cd "$THR_SOURCE_DIR" || exit 1
documents=(README.md docs/guide.md docs/queues.md docs/executor.md)
pages=(./*.md docs/*.md)
archive=$THR_BUILD_DIR/libthreading.a
flags=(-std=c11 -O1 -g -Wall -Wextra -Wpedantic -Wconversion -Werror -I include -pthread -fexceptions)
[ -z "${THR_SANITIZE-}" ] || flags+=("-fsanitize=$THR_SANITIZE" -fno-sanitize-recover=all)

[ -f "$archive" ] || { printf 'There is no %s: the library is not built.\n' "$archive"; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Writes each block of C of a document to FOLDER/LINE.c, LINE being that of its fence, and what its program should
# print to LINE.text.
extract()
{
    awk -v folder="$2" '
        function program(name,   text, line) {
            while ((getline line <name) > 0)
                text = text line "\n"
            close(name)
            return text ~ /(^|\n)int main\(/
        }
        /^<!-- c: .* -->$/ { hidden = hidden substr($0, 9, length($0) - 12) "\n"; next }
        !/^ *```/ { if (inside != "") print >inside; next }
        inside != "" {
            close(inside)
            after = inside ~ /\.c$/ && program(inside) ? inside : ""
            inside = ""
            next
        }
        /^```c$/ {
            inside = folder "/" sprintf("%04d", FNR) ".c"
            printf "%s", hidden >(inside ".hidden")
            close(inside ".hidden")
            hidden = ""
            printf "" >inside
            next
        }
        /^```text$/ && after != "" {
            inside = after
            sub(/c$/, "text", inside)
            printf "" >inside
            next
        }
        { after = ""; inside = "/dev/null" }' "$1"
}

# complete BLOCK: prints the file that is compiled. #line makes the compiler speak of the document.
complete()
{
    local block=$1 document=$2 line
    line=$((10#$(basename "$block" .c) + 1))
    if ! grep -q '^int main(' "$block"; then
        printf '#include <%s.h>\n' errno stdbool stdint stdio stdlib string threading
        cat "$block.hidden"
        if ! grep -q '^{' "$block"; then
            printf 'void fragment(void);\nvoid fragment(void)\n{\n#line %d "%s"\n' "$line" "$document"
            cat "$block"
            printf '}\n'
            return
        fi
    fi
    printf '#line %d "%s"\n' "$line" "$document"
    cat "$block"
}

# try DOCUMENT BLOCK: compiles it, and runs it if it is a program.
try()
{
    local document=$1 block=$2 name=${2%.c} status=0
    complete "$block" "$document" >"$name.full.c"
    if ! grep -q '^int main(' "$block"; then
        "$CC" "${flags[@]}" -Wno-unused -c "$name.full.c" -o /dev/null
        return
    fi
    "$CC" "${flags[@]}" "$name.full.c" "$archive" -pthread -o "$name" || return 1
    # A sanitizer's own allocator may be locked in the child of a fork, by a thread that is not there.
    if [ -n "${THR_SANITIZE-}" ] && grep -q 'fork()' "$block"; then
        return
    fi
    timeout 30 "$name" </dev/null >"$name.out" 2>"$name.err" || status=$?
    if [ $status != 0 ]; then
        printf '%s:%s: ended with status %d\n' "$document" "$(basename "$name")" $status
        cat "$name.out" "$name.err"
        return 1
    fi
    if [ -f "$name.text" ] && ! diff -u "$name.text" "$name.out" >"$name.diff"; then
        printf '%s:%s: does not print what the document says (- said, + printed):\n' "$document" "$(basename "$name")"
        sed 1,2d "$name.diff"
        return 1
    fi
}

# try_all DOCUMENT
try_all()
{
    local document=$1 folder block running=0 blocks=0 programs=0 compared=0 status=0
    folder=$tmp/$(basename "$document" .md)
    mkdir "$folder"
    extract "$document" "$folder" || { printf '%s: could not be taken apart\n' "$document"; return 1; }
    for block in "$folder"/[0-9]*[0-9].c; do
        ((blocks++))
        ! grep -q '^int main(' "$block" || ((programs++))
        [ ! -f "${block%.c}.text" ] || ((compared++))
        try "$document" "$block" >"$block.log" 2>&1 || touch "$block.failed" &
        ((++running < $(nproc))) || wait -n
    done
    wait
    for block in "$folder"/*.failed; do
        [ -e "$block" ] || continue
        status=1
        cat "${block%.failed}.log"
    done
    printf '%s: %d blocks of C, %d of them programs, the output of %d compared\n' \
        "$document" $blocks $programs $compared
    ((programs && blocks == $(grep -c '^```c$' "$document"))) || status=1
    return $status
}

# Names in the documents that no header declares. One that ends in _ or * stands for several.
names()
{
    local document name status=0
    grep -rhoE '\b(thr|THR)_[A-Za-z0-9_]+' include | sort -u >"$tmp/declared"
    for document in "${documents[@]}"; do
        while read -r name; do
            printf '%s: no header has %s\n' "$document" "$name"
            status=1
        done < <(grep -oE '\b(thr|THR)_[A-Za-z0-9_]+[*]?' "$document" | grep -v '[*_]$' | sort -u | comm -23 - "$tmp/declared")
    done
    return $status
}

links()
{
    local document target status=0
    for document in "${pages[@]}"; do
        while read -r target; do
            [ -e "$(dirname "$document")/$target" ] && continue
            printf '%s: there is no %s\n' "$document" "$target"
            status=1
        done < <(grep -oE '\]\([^)#]+' "$document" | sed 's/^](//' | grep -v '^https\?:' | sort -u)
    done
    return $status
}

# The tests that docs/python_tests.md names, in its second column, are there: programs, or what is in them.
tests_named()
{
    local name status=0
    {
        grep -rhoE '^static void test_\w+' tests | sed 's/.* //'
        printf '%s\n' tests/*/test_*.c | sed 's#.*/##; s#\.c$##'
    } | sort -u >"$tmp/tests"
    while read -r name; do
        printf 'docs/python_tests.md: there is no %s\n' "$name"
        status=1
    done < <(cut -d '|' -f 3 docs/python_tests.md | grep -oE '`test_\w+`' | tr -d '`' | sort -u | comm -23 - "$tmp/tests")
    return $status
}

status=0
for document in "${documents[@]}"; do
    try_all "$document" || status=1
done
names || status=1
links || status=1
tests_named || status=1
exit $status
