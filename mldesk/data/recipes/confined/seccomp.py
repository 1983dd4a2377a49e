"""A seccomp filter: from now on this process may make the system's calls that computing needs, and no other.

What is not listed is answered with "not permitted": no socket, no process, no signal to others, no file changed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

_X86 = """
read 0 write 1 close 3 stat 4 fstat 5 lstat 6 poll 7 lseek 8 mmap 9 mprotect 10 munmap 11 brk 12 rt_sigaction 13
rt_sigprocmask 14 rt_sigreturn 15 pread64 17 readv 19 writev 20 access 21 select 23 sched_yield 24 mremap 25
mincore 27 madvise 28 dup 32 nanosleep 35 getpid 39 exit 60 uname 63 getcwd 79 readlink 89 gettimeofday 96
getrlimit 97 getrusage 98 sysinfo 99 times 100 getuid 102 getgid 104 geteuid 107 getegid 108 getppid 110
sigaltstack 131 arch_prctl 158 gettid 186 time 201 futex 202 sched_getaffinity 204 getdents64 217
set_tid_address 218 restart_syscall 219 clock_gettime 228 clock_getres 229 clock_nanosleep 230 exit_group 231
get_mempolicy 239 newfstatat 262 readlinkat 267 faccessat 269 pselect6 270 ppoll 271 set_robust_list 273
getcpu 309 getrandom 318 membarrier 324 statx 332 rseq 334 faccessat2 439
"""
_ARM = """
getcwd 17 dup 23 faccessat 48 close 57 getdents64 61 lseek 62 read 63 write 64 readv 65 writev 66 pread64 67
pselect6 72 ppoll 73 readlinkat 78 newfstatat 79 fstat 80 exit 93 exit_group 94 set_tid_address 96 futex 98
set_robust_list 99 nanosleep 101 clock_gettime 113 clock_getres 114 clock_nanosleep 115 sched_getaffinity 123
sched_yield 124 restart_syscall 128 sigaltstack 132 rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139
times 153 uname 160 getrlimit 163 getrusage 165 getcpu 168 gettimeofday 169 getpid 172 getppid 173 getuid 174
geteuid 175 getgid 176 getegid 177 gettid 178 sysinfo 179 brk 214 munmap 215 mremap 216 mmap 222 mprotect 226
mincore 232 madvise 233 get_mempolicy 236 getrandom 278 membarrier 283 statx 291 rseq 293 faccessat2 439
"""
# Calls that are allowed by what is asked: (number, which argument, mask, what it must be after the mask).
_OPEN_FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_TMPFILE", 0) & ~(
    getattr(os, "O_DIRECTORY", 0))
_THREAD = 0x10000
_CONDITIONS = {
    "x86_64": {"open": (2, 1, _OPEN_FOR_WRITING, (0,)), "openat": (257, 2, _OPEN_FOR_WRITING, (0,)),
               "clone": (56, 0, _THREAD, (_THREAD,)), "prlimit64": (302, 2, 0xFFFFFFFF, (0,)),
               "fcntl": (72, 1, 0xFFFFFFFF, (0, 1, 2, 3, 1030)), "ioctl": (16, 1, 0xFFFFFFFF, (0x5401,)),
               "tgkill": (234, 0, 0xFFFFFFFF, ())},
    "aarch64": {"openat": (56, 2, _OPEN_FOR_WRITING, (0,)), "clone": (220, 0, _THREAD, (_THREAD,)),
                "prlimit64": (261, 2, 0xFFFFFFFF, (0,)), "fcntl": (25, 1, 0xFFFFFFFF, (0, 1, 2, 3, 1030)),
                "ioctl": (29, 1, 0xFFFFFFFF, (0x5401,)), "tgkill": (131, 0, 0xFFFFFFFF, ())},
}
_MACHINES = {"x86_64": (0xC000003E, _X86), "aarch64": (0xC00000B7, _ARM)}
_CLONE3 = 435                      # says that there is none, so that the C library takes clone, whose flags can be read
_ALLOW, _REFUSE, _NONE = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # where they stand in struct seccomp_data


def restrict() -> bool:
    """Put the filter on. Return whether the kernel took it; a processor that is not known gets none."""
    if platform.machine() not in _MACHINES:
        return False
    program = _program(platform.machine(), os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    head = struct.pack("@HP", len(program), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges, without which only root may put on a filter
    return bool(libc.prctl(22, 2, head, 0, 0) == 0)


def _program(machine: str, process: int) -> list[tuple[int, int, int, int]]:
    """Return the filter as steps of classic BPF: (code, jump if true, jump if false, value)."""
    arch, listed = _MACHINES[machine]
    program = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _REFUSE), (_LOAD, 0, 0, _NUMBER)]
    for number in map(int, listed.split()[1::2]):
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    program += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _NONE)]
    for name, (number, argument, mask, wanted) in _CONDITIONS[machine].items():
        values = (process,) if name == "tgkill" else wanted
        # 64-bit arguments: their lower half, then the upper one, which must be 0 where the whole of it counts.
        where = _ARGUMENTS + 8 * argument
        test = [(_LOAD, 0, 0, where), (_AND, 0, 0, mask)]
        for place, value in enumerate(values):
            test.append((_EQUAL, len(values) - place, 0, value))
        test.append((_RETURN, 0, 0, _REFUSE))
        if name == "prlimit64":
            test += [(_LOAD, 0, 0, where + 4), (_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _REFUSE)]
        test.append((_RETURN, 0, 0, _ALLOW))
        program += [(_EQUAL, 0, len(test), number), *test]
    return [*program, (_RETURN, 0, 0, _REFUSE)]
