"""The system calls that write, open or read files, and the files that each one uses."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Final

from ...errors import Impossible
from . import ptrace


@dataclass(frozen=True)
class _Shape:
    """The arguments of a call. Places count them from 0."""

    x86: int
    arm: int
    """Its number on each machine, -1 if the machine does not have it."""
    _: KW_ONLY
    fd: int | None = None
    """The place of a descriptor."""
    paths: tuple[int, ...] = ()
    """The places of paths."""
    at: tuple[tuple[int, int], ...] = ()
    """The places of directories and of the paths that start in them."""
    length: int | None = None
    """The place of the number of bytes or pieces to move."""
    flags: int | None = None
    """The place of the flags for opening a file."""


_WRITES: Final = {
    "write": _Shape(1, 64, fd=0, length=2),
    "pwrite64": _Shape(18, 68, fd=0, length=2),
    "writev": _Shape(20, 66, fd=0, length=2),
    "pwritev": _Shape(296, 70, fd=0, length=2),
    "pwritev2": _Shape(328, 287, fd=0, length=2),
    "sendto": _Shape(44, 206, fd=0, length=2),
    "sendmsg": _Shape(46, 211, fd=0),
    "sendmmsg": _Shape(307, 269, fd=0),
    "sendfile": _Shape(40, 71, fd=0, length=3),
    "copy_file_range": _Shape(326, 285, fd=2, length=4),
    "splice": _Shape(275, 76, fd=2, length=4),
    "fallocate": _Shape(285, 47, fd=0),
    "ftruncate": _Shape(77, 46, fd=0),
    "truncate": _Shape(76, 45, paths=(0,)),
    "rename": _Shape(82, -1, paths=(0, 1)),
    "renameat": _Shape(264, 38, at=((0, 1), (2, 3))),
    "renameat2": _Shape(316, 276, at=((0, 1), (2, 3))),
    "unlink": _Shape(87, -1, paths=(0,)),
    "unlinkat": _Shape(263, 35, at=((0, 1),)),
    "rmdir": _Shape(84, -1, paths=(0,)),
    "mkdir": _Shape(83, -1, paths=(0,)),
    "mkdirat": _Shape(258, 34, at=((0, 1),)),
    "link": _Shape(86, -1, paths=(0, 1)),
    "linkat": _Shape(265, 37, at=((0, 1), (2, 3))),
    "symlink": _Shape(88, -1, paths=(1,)),
    "symlinkat": _Shape(266, 36, at=((1, 2),)),
    "fsync": _Shape(74, 82, fd=0),
    "fdatasync": _Shape(75, 83, fd=0),
    "sync": _Shape(162, 81),
    "syncfs": _Shape(306, 267, fd=0),
    "sync_file_range": _Shape(277, 84, fd=0),
    "msync": _Shape(26, 227),
    "mknod": _Shape(133, -1, paths=(0,)),
    "mknodat": _Shape(259, 33, at=((0, 1),)),
    "setxattr": _Shape(188, 5, paths=(0,)),
    "lsetxattr": _Shape(189, 6, paths=(0,)),
    "fsetxattr": _Shape(190, 7, fd=0),
    "removexattr": _Shape(197, 14, paths=(0,)),
    "lremovexattr": _Shape(198, 15, paths=(0,)),
    "fremovexattr": _Shape(199, 16, fd=0),
}
_OPENS: Final = {
    "open": _Shape(2, -1, paths=(0,), flags=1),
    "openat": _Shape(257, 56, at=((0, 1),), flags=2),
    "openat2": _Shape(437, 437, at=((0, 1),), flags=2),
    "creat": _Shape(85, -1, paths=(0,)),
}
_READS: Final = {
    "read": _Shape(0, 63, fd=0, length=2),
    "pread64": _Shape(17, 67, fd=0, length=2),
    "readv": _Shape(19, 65, fd=0, length=2),
    "preadv": _Shape(295, 69, fd=0, length=2),
    "preadv2": _Shape(327, 286, fd=0, length=2),
    "recvfrom": _Shape(45, 207, fd=0, length=2),
    "recvmsg": _Shape(47, 212, fd=0),
    "recvmmsg": _Shape(299, 243, fd=0),
    "getdents64": _Shape(217, 61, fd=0),
}
_SHAPES = {**_WRITES, **_OPENS, **_READS}

WRITES: Final = tuple(_WRITES)
"""Calls that change stored data, or make sure that it is stored."""
OPENS: Final = tuple(_OPENS)
"""Calls that open files, and may create them."""
READS: Final = tuple(_READS)
"""Calls that read stored data."""
ALL: Final = frozenset(_SHAPES)

_AT_CWD = -100
_PAGE = 4096
_LONGEST_PATH = 4096


def numbers(names: tuple[str, ...]) -> dict[int, str]:
    """Return the calls among ``names`` that this machine has, by their numbers."""
    column = "" if ptrace.MACHINE is None else ptrace.MACHINE.name
    known = {getattr(shape, column, -1): name for name, shape in _SHAPES.items()}
    return {number: name for number, name in known.items() if number >= 0 and name in names}


@dataclass(kw_only=True)
class Call:
    """A system call of a thread.

    ``files`` are the files that it acts on: absolute paths, ``socket:[...]`` or the like.
    ``changes`` is true if it may change stored data. ``result`` is None until the call returns; an
    error is a negative number.
    """

    name: str
    thread: int
    arguments: tuple[int, ...]
    files: tuple[str, ...]
    changes: bool
    result: int | None = None

    def ended(self, result: int) -> None:
        """Note that the call has returned. The thread must still be stopped.

        For an opened file, this also notes its real path, without symbolic links.
        """
        self.result = result
        if self.name in OPENS and result >= 0:
            self.files = (_held(self.thread, result),)

    @classmethod
    def read(cls, name: str, thread: int, arguments: tuple[int, ...]) -> Call:
        """Read the call that a stopped thread is about to make."""
        shape = _SHAPES[name]
        files = []
        if shape.fd is not None:
            files.append(_held(thread, arguments[shape.fd]))
        files += [_path(thread, _AT_CWD, arguments[place]) for place in shape.paths]
        files += [_path(thread, arguments[base], arguments[place]) for base, place in shape.at]
        changes = name in _WRITES or name == "creat"
        if shape.flags is not None:
            flags = arguments[shape.flags]
            if name == "openat2":  # behind a pointer, see open_how(2)
                flags = int.from_bytes(_memory(thread, flags, 8), sys.byteorder)
            changes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
        return cls(
            name=name, thread=thread, arguments=arguments, files=tuple(files), changes=changes
        )

    def repeats(self, other: Call) -> bool:
        """Whether the other call is this one, made again."""
        return (self.name, self.arguments) == (other.name, other.arguments)

    def __str__(self) -> str:
        """The call with the names of its files, without their directories."""
        names = [file.rpartition("/")[2] for file in self.files if file.startswith("/")]
        return f"{self.name}({', '.join(names)})"

    @property
    def moved(self) -> tuple[int, int]:
        """The place of the argument with the amount to move, and the amount.

        The unit is bytes; for ``writev`` and similar calls it is pieces. The suite can shorten a
        call only if it moves two or more.
        """
        place = _SHAPES[self.name].length
        return (0, 0) if place is None else (place, self.arguments[place])

    @property
    def is_inside(self) -> bool:
        """Whether the effect of the call stays inside the program, its children and the suite.

        Pipes and unnamed sockets connect them.
        """
        if _SHAPES[self.name].fd is None:
            return False
        (file,) = self.files
        if file.startswith("socket:["):
            return _is_unnamed(self.thread, int(file[len("socket:[") : -1]))
        return file.startswith(("pipe:", "anon_inode:", "/memfd:"))


def _held(thread: int, descriptor: int) -> str:
    """Return the path of a descriptor, or the kernel's name of a pipe or a socket."""
    return _link(f"/proc/{thread}/fd/{descriptor & 0xFFFFFFFF}").removesuffix(" (deleted)")


def _path(thread: int, base: int, address: int) -> str:
    """Return a path argument of a thread. It is absolute if the directory is known."""
    text = _text(thread, address)
    if text.startswith("/"):
        return text
    directory = (base & 0xFFFFFFFF) - (base & 0x80000000) * 2
    start = _link(f"/proc/{thread}/{'cwd' if directory == _AT_CWD else f'fd/{directory}'}")
    return os.path.normpath(f"{start}/{text}") if start else text


def _link(place: str) -> str:
    try:
        return os.readlink(place)  # noqa: PTH115  # Path would change what is not a path
    except PermissionError:
        raise Impossible(
            "the program does not let the suite see its files",
            "leave it dumpable (PR_SET_DUMPABLE)",
        ) from None
    except OSError:
        return ""


def _text(thread: int, address: int) -> str:
    """Read a string that ends with a zero byte from the memory of a thread."""
    read = b""
    while b"\0" not in read and len(read) < _LONGEST_PATH:
        # The next page may not be mapped, so do not read beyond this one.
        part = _memory(thread, address + len(read), _PAGE - (address + len(read)) % _PAGE)
        if not part:
            break
        read += part
    return os.fsdecode(read.partition(b"\0")[0])


def _memory(thread: int, address: int, size: int) -> bytes:
    with contextlib.suppress(OSError, OverflowError):
        memory = os.open(f"/proc/{thread}/mem", os.O_RDONLY)
        try:
            return os.pread(memory, size, address)
        finally:
            os.close(memory)
    return b""


def _is_unnamed(thread: int, inode: int) -> bool:
    """Return whether a socket is one of an unnamed pair. Threads wake each other with these."""
    if not (named := _unix_sockets(thread)) or inode not in named:
        return False
    if named[inode]:
        return False
    peer = _peer(inode)
    if peer is None:
        raise Impossible(
            "the system does not say which sockets belong together",
            "load the kernel module unix_diag",
        )
    return peer in named and not named[peer]


def _unix_sockets(thread: int) -> dict[int, bool]:
    """Return the local sockets that a thread can see, and whether each has a name."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{thread}/net/unix").read_text("utf-8", "replace").splitlines()
        rows = [line.split(maxsplit=7) for line in lines[1:]]
        return {int(row[6]): len(row) > 7 for row in rows}
    return {}


def _peer(inode: int) -> int | None:
    """Return the other end of a local socket, 0 if it has none; see sock_diag(7).

    None means that the system does not say.
    """
    by_family, request, show_peer, peer, every, failed = 20, 1, 4, 2, 0xFFFFFFFF, 2
    wanted = (socket.AF_UNIX, 0, 0, every, inode, show_peer, every, every)
    asked = struct.pack("=BBHIIIII", *wanted)
    head = struct.pack("=IHHII", _HEAD + len(asked), by_family, request, 0, 0)
    with (
        contextlib.suppress(OSError, struct.error),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as diag,
    ):
        diag.send(head + asked)
        answer = diag.recv(_PAGE)
        if struct.unpack_from("=4xH", answer)[0] == failed:
            return None
        place = _HEAD + _KNOWN
        while place < len(answer):
            size, kind = struct.unpack_from("=HH", answer, place)
            if kind == peer:
                return int(struct.unpack_from("=I", answer, place + 4)[0])
            place += size + 3 & ~3
        return 0
    return None


_SOCK_DIAG = 4
_HEAD, _KNOWN = 16, 16
"""Bytes of the header of a message, and of the fixed part of an answer about a socket."""
