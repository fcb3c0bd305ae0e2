# What the steps of CI that need more than Rust and Go share; each sources it from the top folder.
#
# Packages come from their registries into a folder below `target/ci`, by exact versions, and stay there:
# who runs a step again does not wait for them again.
# shellcheck shell=bash

scratch=$(realpath -m "${CARGO_TARGET_DIR:-target}")/ci
mkdir -p "$scratch"

# Whether a folder holds just these packages; if not, it is emptied for them.
holds() {
    local folder=$1
    shift
    [[ $(cat "$folder/.packages" 2>/dev/null) = "$*" ]] && return
    rm -rf "$folder"
    mkdir -p "$folder"
    return 1
}

# npm_packages FOLDER NAME@VERSION …: they are in FOLDER/node_modules.
npm_packages() {
    local folder=$1
    shift
    holds "$folder" "$@" && return
    echo '{ "private": true, "type": "module" }' >"$folder/package.json"
    npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error "$@"
    echo "$*" >"$folder/.packages"
}

# python_packages FOLDER NAME==VERSION …: their programs are in FOLDER/bin.
python_packages() {
    local folder=$1
    shift
    holds "$folder" "$@" && return
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$folder/.packages"
}

# go_programs FOLDER PACKAGE@VERSION …: they are in FOLDER. Built in a module of their own, since `go install` refuses a
# module that replaces another.
go_programs() {
    local folder=$1 program
    shift
    holds "$folder" "$@" && return
    mkdir "$folder/module"
    (
        cd "$folder/module"
        go mod init scratch
        for program in "$@"; do
            go get -tool "$program"
            go build -o "$folder/" "${program%@*}"
        done
    ) >"$folder/build.log" 2>&1 || { cat "$folder/build.log"; return 1; }
    echo "$*" >"$folder/.packages"
}

# Runs a command that has nothing to say if all is well: what it says is shown, and is a failure.
silently() {
    local said
    said=$("$@" 2>&1) && [[ -z $said ]] || { printf '%s said:\n%s\n' "${1##*/}" "$said"; return 1; }
}

# start_saddlebag FOLDER [ARGUMENT …]: sets `url` to the address of a `saddlebag dev` that is new and empty, and `saddlebag_pid`.
# What it says is in FOLDER/saddlebag.log; it says there too when the wire broke the document.
start_saddlebag() {
    local folder=$1
    shift
    local program=${SADDLEBAG:-${CARGO_TARGET_DIR:-target}/debug/saddlebag}
    rm -f "$folder/ready"
    "$program" dev --port 0 --ready-file "$folder/ready" "$@" >"$folder/saddlebag.log" 2>&1 &
    saddlebag_pid=$!
    local _
    for _ in $(seq 600); do
        [[ -s $folder/ready ]] && break
        kill -0 "$saddlebag_pid" 2>/dev/null || break
        sleep 0.1
    done
    if [[ ! -s $folder/ready ]]; then
        echo "saddlebag dev is not ready:"
        cat "$folder/saddlebag.log"
        return 1
    fi
    url=$(<"$folder/ready")
}

# Stops the server that start_saddlebag started, and fails if an exchange with it went against the document.
stop_saddlebag() {
    local folder=$1
    kill "$saddlebag_pid" && wait "$saddlebag_pid"
    saddlebag_pid=
    if grep -F 'against the document: ' "$folder/saddlebag.log"; then
        return 1
    fi
}
