# The steps of an installation below ~/.mldesk. Plain POSIX sh, no root, no rc file is touched; every step may be
# repeated, and a cut one goes on where it was. Set before: token (who installs), build (the version at hand).
# Exit codes: 3 somebody else installs, 4 the lock was lost, 5 the upload is damaged, 6 what is there is in use,
# 7 this version does not work here, 8 the upload goes on elsewhere, 9 something could not be done.
LC_ALL=C; export LC_ALL
umask 077
root="$HOME/.mldesk"
versions="$root/versions"
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
    mkdir -p "$root" "$versions" "$root/incoming" "$root/runtimes" "$root/lists" || fail 9 "cannot write to $root"
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
    printf '%s\n' "$root/runtimes/uv/uv"
}
fetch_python() { # uv version: a Python that uv brings from the internet, below our own folder
    held
    UV_PYTHON_INSTALL_DIR="$root/runtimes/uv"; UV_CACHE_DIR="$root/incoming/cache"
    export UV_PYTHON_INSTALL_DIR UV_CACHE_DIR
    "$1" --no-config python install --quiet --no-bin "$2" </dev/null >&2 || fail 9 "uv cannot fetch Python $2"
    found=$("$1" --no-config python find --managed-python "$2") || fail 9 "uv fetched Python $2 and cannot find it"
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
if [ -f "$here/../../trainer" ]; then MLDESK_TRAINER=$(cat "$here/../../trainer"); export MLDESK_TRAINER
else MLDESK_NO_WARM=1; export MLDESK_NO_WARM; fi  # nothing here can train yet
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
activate() { # base of the environment, noted in the facts
    held
    if [ ! -f "$versions/$build/facts" ]; then
        "$new/env/bin/python" -c 'import platform
from mldesk.wire.protocol import PROTOCOL
print("protocol=%d-%d python=%s" % (*PROTOCOL, platform.python_version()))' >"$new/facts.new" ||
            fail 7 "the agent cannot say its protocol"
        rm -f "$new/ready"
        must mv "$new" "$versions/$build"
        must mv "$versions/$build/facts.new" "$versions/$build/facts"
    fi
    write_list "versions/$build"
    ln -sf "versions/$build" "$root/current.new" || fail 9 "cannot make a link in $root"
    # By rename, so that there is a current version at every moment. mv would move it into what a link points to.
    "$versions/$build/env/bin/python" -I -c 'import os, sys; os.replace(sys.argv[1], sys.argv[2])' \
        "$root/current.new" "$root/current" || fail 9 "cannot switch to the new version"
    log "is current"
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
sweep() { # after an installation: uploads, and versions that are neither current, the one before, nor in use
    held
    rm -rf "$root/incoming" "$root/error"
    for folder in "$versions"/*.new; do [ ! -d "$folder" ] || rm -rf "$folder"; done
    for folder in "$versions"/*; do
        old=${folder##*/}
        case "$old" in "*"|"$build"|"$previous") continue ;; esac
        [ -z "$(users "versions/$old")" ] || { log "keeps $old, which runs"; continue; }
        build_kept=$build; remove_part "versions/$old"; build=$build_kept
    done
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
remove_part() { # part: exactly what its list says
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
}
remove_data() { # the runner's jobs, objects and logs
    held
    place="${MLDESK_RUNNER:-${XDG_DATA_HOME:-$HOME/.local/share}/mldesk-runner}"
    [ -d "$place" ] || return 0
    rm -rf "$place/runner" "$place/objects" "$place/agent.log" "$place/agent.log.1"
    rmdir "$place" 2>/dev/null || printf 'left %s\n' "$place"
}
uninstall() { # says what is left, one line each
    idle
    rm -f "$root/current" "$root/current.new"
    rm -rf "$root/incoming"
    for folder in "$versions"/*.new "$root"/runtimes/*.new; do [ ! -d "$folder" ] || rm -rf "$folder"; done
    for folder in "$versions"/* "$root"/runtimes/*; do
        [ ! -d "$folder" ] || remove_part "${folder#"$root/"}"
    done
    for folder in "$root/lists" "$versions" "$root/runtimes"; do
        [ ! -d "$folder" ] || rmdir "$folder" 2>/dev/null || printf 'left %s\n' "$folder"
    done
    if [ -f "$root/made" ]; then
        sort -r "$root/made" | while IFS= read -r folder; do rmdir "$HOME/$folder" 2>/dev/null; done
    fi
    rm -f "$root/install.log" "$root/error" "$root/made" "$root/lock/owner"
    rmdir "$root/lock"
    rmdir "$root" 2>/dev/null || printf 'left %s\n' "$root"
}
