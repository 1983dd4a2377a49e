# Says what this box is and has, as lines key=value between two marks. Plain POSIX sh; changes nothing that stays.
# $internet_url: what to ask for to see whether there is a way out, empty to not ask.
LC_ALL=C; export LC_ALL
umask 077
say() { printf '%s=%s\n' "$1" "$(printf '%s' "$2" | tr '\n\r\t' '   ' | cut -c1-400)"; }
have() { command -v "$1" >/dev/null 2>&1; }
work=$(mktemp -d 2>/dev/null) || { work="${TMPDIR:-/tmp}/mldesk-probe-$$"; mkdir "$work" 2>/dev/null || work=; }
[ -z "$work" ] || trap 'rm -rf "$work"' EXIT
# limited SECONDS COMMAND...: its output, without waiting for a process that not even a kill can end (a hung driver).
limited() {
    most=$(($1 * 10)); shift
    [ -n "$work" ] || { "$@" 2>&1; return; }
    ( "$@" >"$work/out" 2>&1 </dev/null; echo "$?" >"$work/code" ) >/dev/null 2>&1 &
    child=$!; waited=0; rm -f "$work/code.seen"
    while [ ! -s "$work/code" ] && [ "$waited" -lt "$most" ]; do
        sleep 0.1 2>/dev/null || { sleep 1; waited=$((waited + 9)); }
        waited=$((waited + 1))
    done
    if [ -s "$work/code" ]; then code=$(cat "$work/code"); else kill -9 "$child" 2>/dev/null; code=124; fi
    head -c 4000 "$work/out" 2>/dev/null
    rm -f "$work/code" "$work/out"
    return "$code"
}
place() { # prefix folder
    say "$1.path" "$2"
    [ -d "$2" ] || { say "$1.state" missing; return; }
    free=$(df -Pk "$2" 2>/dev/null | awk 'NR > 1 { print $(NF - 2) }' | tail -n 1)
    [ -n "$free" ] || free=$(stat -f -c '%a %S' "$2" 2>/dev/null | awk '{ printf "%d", $1 * $2 / 1024 }')
    say "$1.free_kb" "$free"
    say "$1.type" "$(stat -f -c %T "$2" 2>/dev/null || df -PT "$2" 2>/dev/null | awk 'NR > 1 { print $2 }')"
    try="$2/.mldesk-probe-$$"
    if ! printf '#!/bin/sh\nexit 7\n' >"$try" 2>/dev/null; then say "$1.state" unwritable; rm -f "$try"; return; fi
    chmod 700 "$try"; "$try" >/dev/null 2>&1
    if [ "$?" = 7 ]; then say "$1.state" ok; else say "$1.state" noexec; fi
    rm -f "$try"
}
libc() {
    version=$(getconf GNU_LIBC_VERSION 2>/dev/null) && { say libc "$version"; return; }
    text=$( (ldd --version || true) 2>&1 | head -n 2 | tr '\n' ' ')
    case "$text" in
        *musl*) say libc "musl ${text##*Version }" ;;
        *GLIBC*|*"GNU libc"*) say libc "glibc $(printf '%s' "$text" | sed 's/^[^)]*) *//;s/ .*//')" ;;
        *) for file in /lib/ld-musl-*; do [ -e "$file" ] && { say libc musl; return; }; done
           for file in /lib*/ld-linux* /lib*/*/ld-linux*; do [ -e "$file" ] && { say libc glibc; return; }; done
           say libc unknown ;;
    esac
}
pythons() {
    seen=" "
    conda=  # what conda and its kin made, as they note it themselves
    [ -r "$HOME/.conda/environments.txt" ] && conda=$(head -n 20 "$HOME/.conda/environments.txt" | sed 's#$#/bin#')
    for folder in $(printf '%s' "$PATH" | tr ':' ' ') "$HOME/.local/bin" /usr/local/bin /opt/conda/bin \
                  /opt/miniconda3/bin /opt/miniforge3/bin "$HOME/miniconda3/bin" "$HOME/miniforge3/bin" \
                  "$HOME/anaconda3/bin" "$HOME/mambaforge/bin" "$HOME/micromamba/bin" $conda; do
        for name in python3.13 python3.12 python3.11 python3; do
            file="$folder/$name"
            case "$seen" in *" $file "*) continue ;; esac
            seen="$seen$file "
            [ -x "$file" ] && [ ! -d "$file" ] || continue
            answer=$(limited 5 "$file" -I -c 'import importlib.util as u, os, platform, struct, sys
print("mldesk", platform.python_version(), "venv" if u.find_spec("venv") else "bare", struct.calcsize("P") * 8,
      sys.implementation.name, os.path.realpath(sys.executable))' | grep '^mldesk ' | head -n 1)
            [ -n "$answer" ] && say python "${answer#mldesk } $file"
        done
    done
}
gpus() {
    cards=0
    for device in /sys/bus/pci/devices/*; do
        [ "$(cat "$device/vendor" 2>/dev/null)" = 0x10de ] || continue
        case "$(cat "$device/class" 2>/dev/null)" in 0x03*) cards=$((cards + 1)) ;; esac
    done
    say gpu.cards "$cards"
    say gpu.module "$(head -n 1 /proc/driver/nvidia/version 2>/dev/null)"
    nodes=no; for node in /dev/nvidia[0-9]*; do [ -e "$node" ] && nodes=yes; done
    say gpu.nodes "$nodes"
    if ! have nvidia-smi; then say gpu.tool missing; return; fi
    answer=$(limited 10 nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader,nounits)
    code=$?
    if [ "$code" = 0 ]; then
        say gpu.tool ok
        printf '%s\n' "$answer" | head -n 64 | while IFS= read -r line; do say gpu "$line"; done
    elif [ "$code" = 124 ]; then say gpu.tool broken; say gpu.message "nvidia-smi does not answer within 10 seconds"
    else say gpu.tool broken; say gpu.message "${answer:-nvidia-smi ends with code $code}"; fi
}
boot() {
    if [ -d /run/systemd/system ] && have systemctl; then
        say systemd "$(systemctl --version 2>/dev/null | awk 'NR == 1 { print $2 }')"
        [ -n "$XDG_RUNTIME_DIR" ] || { XDG_RUNTIME_DIR="/run/user/$(id -u)"; export XDG_RUNTIME_DIR; }
        limited 5 systemctl --user show-environment >/dev/null && say systemd.user yes || say systemd.user no
        if [ -e "/var/lib/systemd/linger/$(id -un)" ]; then say linger yes; else say linger no; fi
    else say systemd no; fi
    if have loginctl; then
        case "$(limited 5 loginctl show-session -p KillUserProcesses)" in *=yes*) say logout.kills yes ;; esac
    fi
    if ! have crontab; then say crontab missing
    elif text=$(limited 5 crontab -l) || case "$text" in *"no crontab"*) true ;; *) false ;; esac; then say crontab ok
    else say crontab denied; fi
}
internet() {
    [ -n "$internet_url" ] || { say internet unasked; return; }
    if have curl; then limited 4 curl -sS -I -m 3 -o /dev/null "$internet_url" >/dev/null
    elif have wget; then limited 4 wget -q -T 3 -O /dev/null "$internet_url" >/dev/null
    elif have python3; then limited 4 python3 -I -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=3).close()' "$internet_url" >/dev/null
    elif ! awk '$2 == "00000000" && $8 == "00000000" { found = 1 } END { exit !found }' /proc/net/route 2>/dev/null &&
        ! awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { found = 1 } END { exit !found }' /proc/net/ipv6_route \
            2>/dev/null; then say internet no; return
    else say internet unknown; return; fi  # there is a way out, and nothing to try it with
    if [ "$?" = 0 ]; then say internet yes; else say internet no; fi
}
installs() {
    root="$HOME/.mldesk"
    say current "$(readlink "$root/current" 2>/dev/null)"
    for folder in "$root"/versions/*; do
        [ -f "$folder/facts" ] && say install "${folder##*/} $(head -n 1 "$folder/facts")"
    done
    for file in "$root"/runtimes/*/complete; do
        [ -f "$file" ] && { folder=${file%/complete}; say runtime "${folder##*/}"; }
    done
    for folder in "$root"/environments/*; do
        [ -f "$folder/facts" ] && say environment "${folder##*/} $(head -n 1 "$folder/facts")"
    done
    say trainer "$(sed -n 's#.*/environments/\([0-9a-f]*\)/.*#\1#p' "$root/trainer" 2>/dev/null)"
}
printf '\n%s-begin 1\n' MLDESK-PROBE
say os "$(uname -s)"
say kernel "$(uname -r)"
say arch "$(uname -m)"
say distribution "$( (. /etc/os-release && printf '%s' "$PRETTY_NAME") 2>/dev/null)"
libc
say cores "$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || grep -c '^processor' /proc/cpuinfo 2>/dev/null)"
say memory_kb "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo 2>/dev/null)"
name=$(id -un 2>/dev/null) || name=$(id -u)
say user "$name"
say uid "$(id -u)"
say shell "$SHELL"
say clock "$(date +%s)"
say boot_id "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
place home "$HOME"
place temp "${TMPDIR:-/tmp}"
for tool in tar gzip sha256sum awk timeout uv docker podman; do have "$tool" && say tool "$tool"; done
[ -x "$HOME/.local/bin/uv" ] && say tool uv
for name in http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY; do
    eval "value=\${$name-}"
    [ -n "$value" ] && say proxy "$name $(printf '%s' "$value" | sed 's#//[^@/]*@#//***@#g')"
done
pythons
gpus
boot
internet
installs
printf '%s-end 1\n' MLDESK-PROBE
