# The steps of an installation below ~/.mldesk. Plain POSIX sh, no root, no rc file is touched; every step may be
# repeated, and a cut one goes on where it was. Set before: token (who installs), build (the version at hand).
# Exit codes: 3 somebody else installs, 4 the lock was lost, 5 the upload is damaged, 6 what is there is in use,
# 7 this version does not work here, 8 the upload goes on elsewhere, 9 something could not be done, 10 a running job
# needs a newer version, 11 uv has no Python for it.
LC_ALL=C; export LC_ALL
umask 077
PATH="$PATH:$HOME/.local/bin"  # where uv often is, and no login shell says so
root="$(cd -P -- "$HOME" && pwd -P)/.mldesk"  # as programs that run from it are called
versions="$root/versions"
environments="$root/environments"
new="$versions/$build.new"
stale_minutes=15
have() { command -v "$1" >/dev/null 2>&1; }
log() { printf '%s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$build" "$*" >>"$root/install.log"; }
fail() { code=$1; shift; [ ! -d "$root" ] || log "failed: $*"; printf '%s\n' "$*" >&2; exit "$code"; }
must() { "$@" || fail 9 "cannot: $*"; }

# --- the lock: a folder, since making one is atomic everywhere; who holds it refreshes it with every step

lock() {
    made=
    [ -d "$root" ] || made=$(for folder in .local .local/share; do [ -d "$HOME/$folder" ] || echo "$folder"; done)
    mkdir -p "$root" "$versions" "$environments" "$root/incoming" "$root/runtimes" "$root/lists" || fail 9 "cannot write to $root"
    chmod 700 "$root"
    [ -z "$made" ] || printf '%s\n' "$made" >>"$root/made"  # folders that the agent will make on its way
    if mkdir "$root/lock" 2>/dev/null; then printf '%s\n' "$token" >"$root/lock/owner"; log "begins"; return; fi
    owner=$(cat "$root/lock/owner" 2>/dev/null)
    if [ "$owner" = "$token" ]; then touch "$root/lock"; return; fi
    [ -n "$(find "$root/lock" -prune -mmin "+$stale_minutes" 2>/dev/null)" ] || fail 3 "another installation is at work"
    away="$root/lock.$token"
    mv "$root/lock" "$away" 2>/dev/null || fail 3 "another installation is at work"
    if [ "$(cat "$away/owner" 2>/dev/null)" != "$owner" ]; then  # a quicker one broke the stale lock and took its own
        mv "$away" "$root/lock"; fail 3 "another installation is at work"
    fi
    rm -f "$away/owner"; rmdir "$away"
    mkdir "$root/lock" 2>/dev/null || fail 3 "another installation is at work"
    printf '%s\n' "$token" >"$root/lock/owner"
    log "begins, after one that was given up"
}
held() {
    [ "$(cat "$root/lock/owner" 2>/dev/null)" = "$token" ] || fail 4 "the installation's lock was taken by another"
    touch "$root/lock"
}
unlock() { held; log "ends"; rm -f "$root/lock/owner"; rmdir "$root/lock"; }

# --- uploads, by their digest

length() { if [ -f "$1" ]; then wc -c <"$1" | tr -d ' '; else echo 0; fi; }
digest_of() {
    if have sha256sum; then sha256sum "$1" | cut -d ' ' -f 1
    else "${python:-python3}" -I -c 'import hashlib, sys
print(hashlib.file_digest(open(sys.argv[1], "rb"), "sha256").hexdigest())' "$1"; fi
}
arrived() { # digest: how many bytes are here, or "whole"
    held
    if [ -f "$root/incoming/$1" ]; then echo whole; else length "$root/incoming/$1.part"; fi
}
receive() { # digest offset: append stdin
    held
    [ "$(length "$root/incoming/$1.part")" = "$2" ] || fail 8 "the upload goes on elsewhere"
    cat >>"$root/incoming/$1.part" || fail 9 "the upload cannot be written; is the disk full?"
    length "$root/incoming/$1.part"
}
seal() { # digest
    held
    [ ! -f "$root/incoming/$1" ] || return 0
    if [ "$(digest_of "$root/incoming/$1.part")" != "$1" ]; then
        rm -f "$root/incoming/$1.part"; fail 5 "the upload is damaged"
    fi
    must mv "$root/incoming/$1.part" "$root/incoming/$1"
    log "received $1"
}
unpack() { # archive folder
    if have tar && have gzip; then gzip -dc "$1" | ( cd "$2" && tar -xf - )
    else "$python" -I -c 'import sys, tarfile
safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
tarfile.open(sys.argv[1]).extractall(sys.argv[2], **safe)' "$1" "$2"; fi
}

# --- what is installed

place_runtime() { # digest name: a Python that was sent
    held
    target="$root/runtimes/$2"
    if [ ! -f "$target/complete" ]; then
        rm -rf "$target.new" "$target"; must mkdir "$target.new"
        unpack "$root/incoming/$1" "$target.new" || fail 9 "the Python cannot be unpacked; is the disk full?"
        "$target.new/bin/python3" -I -c 'import ssl, zlib, json, hashlib, venv, select' 2>"$root/error" ||
            fail 7 "the Python that was sent does not run here: $(tail -n 1 "$root/error")"
        must mv "$target.new" "$target"; : >"$target/complete"
        write_list "runtimes/$2"
        log "placed Python $2"
    fi
    printf '%s\n' "$target/bin/python3"
}
place_uv() { # digest
    held
    must mkdir -p "$root/runtimes/uv"
    must cp "$root/incoming/$1" "$root/runtimes/uv/uv.new"
    must chmod 700 "$root/runtimes/uv/uv.new"
    must mv "$root/runtimes/uv/uv.new" "$root/runtimes/uv/uv"
    write_list runtimes/uv
    printf '%s\n' "$root/runtimes/uv/uv"
}
fetch_python() { # uv version: a Python that uv brings from the internet, below our own folder
    held
    UV_PYTHON_INSTALL_DIR="$root/runtimes/uv"; UV_CACHE_DIR="$root/incoming/cache"
    export UV_PYTHON_INSTALL_DIR UV_CACHE_DIR
    if ! "$1" --no-config python install --quiet --no-bin "$2" </dev/null 2>"$root/error" >&2; then
        if [ ! -f "$root/runtimes/uv/complete" ]; then rm -rf "$root/runtimes/uv" "$root/lists/runtimes.uv"; fi
        fail 11 "uv cannot fetch Python $2: $(tail -n 3 "$root/error" | tr '\n' ' ')"
    fi
    found=$("$1" --no-config python find --managed-python "$2") || fail 11 "uv fetched Python $2 and cannot find it"
    : >"$root/runtimes/uv/complete"; write_list runtimes/uv; log "uv brought $found"
    printf '%s\n' "$found"
}
place_version() { # digest: unpack the agent and make its environment
    held
    [ ! -f "$versions/$build/facts" ] || return 0
    [ ! -f "$new/ready" ] || return 0
    rm -rf "$new" "$versions/$build"; must mkdir "$new"
    unpack "$root/incoming/$1" "$new" || fail 9 "the agent cannot be unpacked; is the disk full?"
    if have sha256sum; then
        ( cd "$new" && sha256sum -c files.sha256 >/dev/null 2>&1 ) || fail 5 "the agent that was unpacked is damaged"
    fi
    "$python" -I -m venv --without-pip --symlinks "$new/env" 2>"$root/error" >&2 ||
        fail 7 "its Python makes no environment: $(tail -n 1 "$root/error")"
    rm -f "$new"/env/bin/activate* "$new"/env/bin/Activate*
    for site in "$new"/env/lib/python3.*/site-packages; do printf '../../../../lib\n' >"$site/mldesk.pth"; done
    must mkdir "$new/bin"
    cat >"$new/bin/mldesk-agent" <<'END'
#!/bin/sh
# Runs the agent of the version that this file belongs to, whatever name it was called by.
unset PYTHONHOME PYTHONPATH
here=$(cd -P -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
MLDESK_CODE="$here/lib"; export MLDESK_CODE  # the trainer's, whatever environment it runs in
if [ -f "$here/../../trainer" ]; then MLDESK_TRAINER=$(cat "$here/../../trainer"); export MLDESK_TRAINER
else
    MLDESK_TRAINER='["sh", "-c", "echo Nothing is here to train with. Upgrade this runner from MLDesk. >&2; exit 1"]'
    MLDESK_NO_WARM=1; MLDESK_TRAINS=0; export MLDESK_NO_WARM MLDESK_TRAINER MLDESK_TRAINS
fi
exec "$here/env/bin/python" -m runner_agent "$@"
END
    chmod 700 "$new/bin/mldesk-agent"
    "$new/env/bin/python" -m compileall -q --invalidation-mode unchecked-hash -s "$new" -p "$versions/$build" \
        "$new/lib" >&2 || fail 7 "the agent does not compile on its Python"
    : >"$new/ready"
    log "placed"
}
selftest() { # cards
    held
    [ ! -f "$versions/$build/facts" ] || return 0
    answer=$("$new/bin/mldesk-agent" selftest --place "$new/try" --gpus "$1" 2>"$root/error")
    code=$?
    rm -rf "$new/try"
    [ "$code" = 0 ] || fail 7 "the agent does not work here: ${answer:-$(tail -n 3 "$root/error" | tr '\n' ' ')}"
    log "self-test: $answer"
    printf '%s\n' "$answer"
}
finish_version() { # it is whole, and could look after the jobs that run
    held
    if [ ! -f "$versions/$build/facts" ]; then
        "$new/env/bin/python" -c 'import platform
from mldesk.wire import journal
from mldesk.wire.protocol import PROTOCOL
print("protocol=%d-%d python=%s" % (*PROTOCOL, platform.python_version()))
print("journal=%d" % journal.FORMAT)' >"$new/facts.new" || fail 7 "the agent cannot say its protocol"
        rm -f "$new/ready"
        must mv "$new" "$versions/$build"
        must mv "$versions/$build/facts.new" "$versions/$build/facts"
    fi
    write_list "versions/$build"
    readable
}
activate() {
    held
    ln -sf "versions/$build" "$root/current.new" || fail 9 "cannot make a link in $root"
    # By rename, so that there is a current version at every moment. mv would move it into what a link points to.
    "$versions/$build/env/bin/python" -I -c 'import os, sys; os.replace(sys.argv[1], sys.argv[2])' \
        "$root/current.new" "$root/current" || fail 9 "cannot switch to the new version"
    log "is current"
}
format_of() { # facts: the journals that this version writes; it reads all older ones
    found=$(sed -n 's/^journal=\([0-9]*\)$/\1/p' "$1" 2>/dev/null | head -n 1); printf '%s\n' "${found:-1}"
}
readable() { # the jobs that run must be readable by the version at hand
    reads=$(format_of "$versions/$build/facts")
    for folder in "$versions"/*; do
        old=${folder##*/}
        [ "$old" != "$build" ] && [ -f "$folder/facts" ] && [ "$(format_of "$folder/facts")" -gt "$reads" ] || continue
        busy=$(supervisors "versions/$old" | tr '\n' ' ')
        [ -z "$busy" ] || fail 10 "jobs run there that MLDesk $old began ($busy), and $build cannot read their journals"
    done
}
write_list() { # part: note every file of it, for the day it is removed
    name=$(printf '%s' "$1" | tr '/' '.')
    ( cd "$root" && find "$1" -print ) | sort >"$root/lists/$name.new" || fail 9 "cannot note what was installed"
    must mv "$root/lists/$name.new" "$root/lists/$name"
}
users() { # part: the processes that run from it, one line each
    below="$root/$1/"
    set -- /proc/[0-9]*/cmdline  # listed before grep starts, whose own command line holds what it looks for
    grep -lF "$below" "$@" 2>/dev/null | cut -d / -f 3
}
runner_place() { printf '%s\n' "${MLDESK_RUNNER:-${XDG_DATA_HOME:-$HOME/.local/share}/mldesk-runner}"; }
supervisors() { # part: those of them that look after a job, and do not wait for one
    for pid in $(users "$1"); do
        grep -qs "\"pid\":$pid[,}]" "$(runner_place)"/runner/jobs/*/processes.json && echo "$pid"
    done
}

# --- the training environment: made beside, tried, then switched to like a version

there() { # digest...: those wheels that need not be sent: they arrived, or an environment holds them
    held
    for digest in "$@"; do
        if [ -f "$root/incoming/$digest" ]; then echo "$digest"; continue; fi
        for part in "$environments"/*/parts/"$digest.json"; do
            [ ! -f "${part%/parts/*}/facts" ] || { echo "$digest"; break; }
        done
    done
}
begin_environment() { # key: a new one, unless it is there whole (says so)
    held
    if [ -f "$environments/$1/facts" ]; then echo whole; return; fi
    rm -rf "$environments/$1.new" "$environments/$1"; must mkdir "$environments/$1.new"
    "$versions/$build/env/bin/python3" -I -m venv --without-pip --symlinks "$environments/$1.new/env" 2>"$root/error" >&2 ||
        fail 7 "its Python makes no environment: $(tail -n 1 "$root/error")"
    rm -f "$environments/$1.new"/env/bin/activate* "$environments/$1.new"/env/bin/Activate*
    must mkdir "$environments/$1.new/bin" "$environments/$1.new/cache"
    cat >"$environments/$1.new/bin/mldesk-trainer" <<'END'
#!/bin/sh
# Trains in this environment, by the code of the agent that asks for it.
unset PYTHONHOME
here=$(cd -P -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
PYTHONPATH=${MLDESK_CODE:-$(cd -P -- "$here/../../current/lib" && pwd -P)} || exit 1
CUDA_CACHE_PATH="$here/cache/cuda"; TRITON_CACHE_DIR="$here/cache/triton"; TORCHINDUCTOR_CACHE_DIR="$here/cache/torch"
export PYTHONPATH CUDA_CACHE_PATH TRITON_CACHE_DIR TORCHINDUCTOR_CACHE_DIR
if [ -d "$here/native" ]; then
    LD_LIBRARY_PATH="$here/native${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"; export LD_LIBRARY_PATH
fi
# The option says nothing to Python; it shows what this process must not be robbed of.
if [ "$1" = --try ]; then shift; exec "$here/env/bin/python" -P -X "mldesk=$PYTHONPATH" - "$@"; fi
exec "$here/env/bin/python" -P -X "mldesk=$PYTHONPATH" -m mldesk.training.run "$@"
END
    chmod 700 "$environments/$1.new/bin/mldesk-trainer"
    log "begins the training environment $1"
}
fill_environment() { # key list: unpack wheels; stdin is the program that does
    held
    "$versions/$build/env/bin/python3" -I - "$root" "$environments/$1.new" "$root/incoming/$2" 2>"$root/error" >&2 ||
        fail 9 "$(tail -n 1 "$root/error")"
    log "unpacked the wheels of $1"
}
fetch_environment() { # key tool: let uv, or the pip that was sent, bring the packages; stdin names them
    held
    cat >"$environments/$1.new/requirements.txt"
    if [ -n "$index" ]; then  # the user's own instead of the one that the tool knows, the first before the others
        PIP_INDEX_URL=${index%% *}; UV_DEFAULT_INDEX=$PIP_INDEX_URL; UV_INDEX_STRATEGY=unsafe-best-match
        case "$index" in *" "*) PIP_EXTRA_INDEX_URL=${index#* }; UV_INDEX=$PIP_EXTRA_INDEX_URL
            export PIP_EXTRA_INDEX_URL UV_INDEX ;; esac
        export PIP_INDEX_URL UV_DEFAULT_INDEX UV_INDEX_STRATEGY
    fi
    ( while sleep 10; do touch "$root/lock" || exit; done ) >/dev/null 2>&1 &
    keeper=$!
    if [ "$2" = pip ]; then
        PYTHONPATH="$root/incoming/pip.whl" "$environments/$1.new/env/bin/python" -m pip install --quiet \
            --no-input --disable-pip-version-check --only-binary :all: --no-cache-dir --no-compile \
            -r "$environments/$1.new/requirements.txt" 2>"$root/error" >&2
    else
        UV_CACHE_DIR="$root/incoming/cache" "$2" pip install --quiet --only-binary :all: \
            --python "$environments/$1.new/env/bin/python" -r "$environments/$1.new/requirements.txt" 2>"$root/error" >&2
    fi
    code=$?
    kill "$keeper" 2>/dev/null
    [ "$code" = 0 ] || fail 9 "the packages cannot be fetched: $(grep -v '^ *$' "$root/error" | tail -n 2 | tr '\n' ' ')"
    log "fetched the packages of $1"
}
place_pip() { # digest
    held; must cp "$root/incoming/$1" "$root/incoming/pip.whl"
}
try_environment() { # key torch cards module...: stdin is the program that tries; the environment is whole if it can
    held
    key=$1; build_of_torch=$2; shift 2
    [ ! -f "$environments/$key/facts" ] || return 0
    answer=$(MLDESK_CODE="$versions/$build/lib" "$environments/$key.new/bin/mldesk-trainer" --try "$@" 2>"$root/error")
    code=$?
    if [ "$code" != 0 ]; then
        reason=$(printf '%s' "$answer" | sed -n 's/.*"error": "\(.*\)"[,}].*/\1/p')
        rm -rf "$environments/$key.new"
        fail 7 "it cannot train here: ${reason:-$(tail -n 3 "$root/error" | tr '\n' ' ')}"
    fi
    printf 'torch=%s\n' "$build_of_torch" >"$environments/$key.new/facts.new"
    printf '%s\n' "$answer" >>"$environments/$key.new/facts.new"
    must mv "$environments/$key.new" "$environments/$key"
    must mv "$environments/$key/facts.new" "$environments/$key/facts"
    log "training: $answer"
    printf '%s\n' "$answer"
}
use_environment() { # key
    held
    [ -f "$environments/$1/facts" ] || fail 9 "the training environment $1 is not there"
    write_list "environments/$1"
    printf '["%s/bin/mldesk-trainer"]\n' "$environments/$1" >"$root/trainer.new" || fail 9 "cannot write to $root"
    must mv "$root/trainer.new" "$root/trainer"
    log "trains with $1"
}

# --- what nothing needs any more

sweep_parts() { # folder name-to-keep: parts of a kind that nothing uses
    for folder in "$root/$1"/*; do
        old=${folder##*/}
        case "$old" in "*"|"$2"|*.new) continue ;; esac
        [ "$1" != runtimes ] || ! grep -qs "runtimes/$old/" "$versions"/*/env/pyvenv.cfg "$environments"/*/env/pyvenv.cfg ||
            continue
        [ -z "$(users "$1/$old")" ] || { log "keeps $1/$old, which runs"; continue; }
        remove_part "$1/$old"
    done
}
sweep() { # after an installation: uploads, and versions that are neither current, the one before, nor in use
    held
    rm -rf "$root/incoming" "$root/error"
    for folder in "$versions"/*.new "$environments"/*.new; do [ ! -d "$folder" ] || rm -rf "$folder"; done
    for folder in "$versions"/*; do
        old=${folder##*/}
        case "$old" in "*"|"$build"|"$previous") continue ;; esac
        [ -z "$(users "versions/$old")" ] || { log "keeps $old, which runs"; continue; }
        build_kept=$build; remove_part "versions/$old"; build=$build_kept
    done
    sweep_parts environments "$(sed -n 's#.*/environments/\([0-9a-f]*\)/.*#\1#p' "$root/trainer" 2>/dev/null)"
    sweep_parts runtimes uv
}

# --- and removed

quoted() { sed 's/[^A-Za-z0-9._/-]/\\&/g'; } # for xargs
removable() { # part: the files of its list from stdin, and what Python compiled beside them
    while IFS= read -r path; do
        case "$path" in /*|*..*) continue ;; "$1"|"$1"/*) ;; *) continue ;; esac
        if [ -L "$path" ] || [ ! -d "$path" ]; then printf '%s\n' "$path"; continue; fi
        for file in "$path"/__pycache__/*.pyc; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
        [ ! -d "$path/__pycache__" ] || printf '%s\n' "$path/__pycache__" >&3
        printf '%s\n' "$path" >&3
    done
}
remove_part() { # part: exactly what its list says, and what it keeps for itself
    case "$1" in environments/*) rm -rf "$root/$1/cache" ;; esac
    list="$root/lists/$(printf '%s' "$1" | tr '/' '.')"
    [ -f "$list" ] || return 0
    ( cd "$root" && removable "$1" <"$list" 3>"$list.folders" | quoted | xargs rm -f
      sort -ru "$list.folders" | quoted | xargs rmdir 2>/dev/null )
    rm -f "$list" "$list.folders"
    [ ! -e "$root/$1" ] || printf 'left %s\n' "$root/$1"
    [ ! -d "$root" ] || log "removed $1"
}
idle() { # nothing may run from any version; whoever calls has stopped the agent
    held
    for folder in "$versions"/*; do
        busy=$(users "versions/${folder##*/}" | tr '\n' ' ')
        [ -z "$busy" ] || fail 6 "processes of ${folder##*/} still run: $busy"
    done
    busy=$(users environments | tr '\n' ' ')
    [ -z "$busy" ] || fail 6 "trainers still run: $busy"
}
remove_data() { # the runner's jobs, objects and logs
    held
    place=$(runner_place)
    [ -d "$place" ] || return 0
    rm -rf "$place/runner" "$place/objects" "$place/agent.log" "$place/agent.log.1"
    rmdir "$place" 2>/dev/null || printf 'left %s\n' "$place"
}
uninstall() { # says what is left, one line each
    idle
    rm -f "$root/current" "$root/current.new" "$root/trainer" "$root/trainer.new"
    rm -rf "$root/incoming"
    for folder in "$versions"/*.new "$root"/runtimes/*.new "$environments"/*.new; do
        [ ! -d "$folder" ] || rm -rf "$folder"
    done
    for folder in "$environments"/* "$versions"/* "$root"/runtimes/*; do
        [ ! -d "$folder" ] || remove_part "${folder#"$root/"}"
    done
    for folder in "$root/lists" "$versions" "$root/runtimes" "$environments"; do
        [ ! -d "$folder" ] || rmdir "$folder" 2>/dev/null || printf 'left %s\n' "$folder"
    done
    if [ -f "$root/made" ]; then
        sort -r "$root/made" | while IFS= read -r folder; do rmdir "$HOME/$folder" 2>/dev/null; done
    fi
    rm -f "$root/install.log" "$root/error" "$root/made" "$root/lock/owner"
    rmdir "$root/lock"
    rmdir "$root" 2>/dev/null || printf 'left %s\n' "$root"
}
