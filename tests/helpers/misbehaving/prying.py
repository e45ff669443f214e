"""Predictors that look for what they must not see, or reach for what is not theirs.

Each fails, saying what it found, if it finds anything.
"""

# ruff: noqa: E501 - what a fake does stands on one line

from __future__ import annotations

from misbehaving.fake import Fake

SEARCH = """
def search(places, word=None):
    "Which of the files can be opened, and hold the word."
    found = []
    for place in places:
        try:
            with open(place, 'rb') as file:
                if word is None or word.encode() in file.read(10**6):
                    found.append(str(place))
        except OSError:
            pass
    if found:
        raise PermissionError(f'could read {found[:3]}')
"""


def _pries(name: str, code: str) -> Fake:
    return Fake(name, "ok", module=SEARCH, fit=code, sealed=True)


FILES = [
    Fake(
        "pries-at-import",
        "ok",
        module=SEARCH + "search([at.truth, at.home + '/.netrc'])",
        sealed=True,
    ),
    _pries("reads-the-truth", "search([at.truth])"),
    _pries(
        "reads-the-results",
        "own = str(self.folder.parent)\nsearch(path for path in Path(at.results).rglob('*') if not"
        " str(path).startswith(own))",
    ),
    _pries("reads-the-home", "search(Path(at.home).rglob('*'))"),
    _pries(
        "reads-the-users-accounts",
        "search(['/etc/shadow', '/etc/gshadow', '/root/.bashrc', '/etc/ssh/sshd_config'])",
    ),
    _pries("reads-other-predictors", "search([at.site + '/calm.py'], 'Predictor')"),
    _pries(
        "reads-through-the-root-of-others",
        "search([*(f'/proc/{n}/root{at.truth}' for n in range(1, 40)),"
        " *(f'/proc/{n}/root{at.truth}' for n in ('self', 'thread-self'))])",
    ),
    _pries(
        "reads-through-descriptors",
        """
        for process in Path('/proc').glob('[0-9]*'):
            try:
                search([entry for entry in (process / 'fd').iterdir() if at.truth in os.readlink(entry)])
            except PermissionError as error:
                if 'could read' in str(error): raise
            except OSError:
                pass
        """,
    ),
    _pries(
        "climbs-out-of-its-root",
        """
        libc = ctypes.CDLL(None, use_errno=True)
        libc.unshare(0x10000000 | 0x00020000)
        try:
            own = os.stat('/proc/self/ns/mnt').st_ino != at.mnt_namespace
        except OSError:
            own = False
        if own:  # else these would unmount the user's own file system
            libc.umount2(b'/', 2)
            libc.mount(b'proc', b'/proc', b'proc', 0, None)
            libc.mount(b'none', b'/', None, 0x20 | 0x1000, None)
        os.makedirs(context.scratch / 'cell', exist_ok=True)
        libc.chroot(str(context.scratch / 'cell').encode())
        for _ in range(64):
            os.chdir('..')
        libc.chroot(b'.')
        search([at.truth, at.truth[1:], '/proc/1/root' + at.truth])
        """,
    ),
]

PROCESSES = [
    _pries(
        "reads-the-environment",
        "found = [name for name, value in os.environ.items() if at.token in value and name =="
        " 'KOBENCH_SECRET']\nif found: raise PermissionError(f'could read {found}')",
    ),
    _pries(
        "reads-the-environment-of-others",
        "search(Path('/proc').glob('[0-9]*/environ'), 'secret-' + at.token)",
    ),
    _pries(
        "reads-the-command-lines-of-others",
        "search(Path('/proc').glob('[0-9]*/cmdline'), 'knows-' + at.token)",
    ),
    _pries(
        "reads-the-memory-of-others",
        """
        libc = ctypes.CDLL(None, use_errno=True)
        parent = os.getppid()
        if libc.ptrace(16, parent, 0, 0) == 0:
            raise PermissionError('could attach to its parent')
        search(f'/proc/{number}/{part}' for number in (parent, at.victim) for part in ('maps', 'mem', 'environ', 'auxv'))
        """,
    ),
    _pries(
        "signals-others",
        """
        for number in (at.victim,):
            try:
                os.kill(number, signal.SIGKILL)
            except OSError:
                pass
        """,
    ),
]

SOCKETS = [
    _pries(
        "connects-by-tcp",
        """
        for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
            try:
                own = socket.create_connection((host, at.tcp_port), 2)
            except OSError:
                continue
            own.close()
            raise PermissionError(f'could connect to {host}')
        """,
    ),
    _pries(
        "sends-by-udp",
        """
        try:
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'udp ' + at.token.encode(), ('127.0.0.1', at.udp_port))
        except OSError:
            pass
        """,
    ),
    _pries(
        "connects-to-a-socket-file",
        """
        with socket.socket(socket.AF_UNIX) as own:
            if own.connect_ex(at.socket_file) == 0:
                raise PermissionError('could connect to a socket file')
        """,
    ),
    _pries(
        "connects-to-a-nameless-socket",
        """
        with socket.socket(socket.AF_UNIX) as own:
            if own.connect_ex('\\0served-' + at.token) == 0:
                raise PermissionError('could connect to an abstract socket')
        """,
    ),
]

PRYING = [*FILES, *PROCESSES, *SOCKETS]
