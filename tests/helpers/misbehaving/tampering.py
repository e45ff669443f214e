"""Predictors that tamper: with the worker, its pipes and files, with kobench and numpy, with other
processes.
"""

# ruff: noqa: E501 - what a fake does stands on one line

from __future__ import annotations

from misbehaving.fake import Fake

#: Ended by their own doing, each in a way that the machine may decide.
ANY_END = ("ok", "failed", "invalid")
BAD_END = ("failed", "invalid")


def _forge(name: str, line: str, status: str | tuple[str, ...] = BAD_END, says: str = ".") -> Fake:
    return Fake(f"forges-{name}", status, says, ("fit", "profile"), fit=f"on_every_pipe({line})")


DONE = b'{"kind": "done", "seconds": 0, "peak_mb": 0}\n'

PIPES = [
    _forge("a-reply", repr(DONE)),
    _forge(
        "a-good-end",
        repr(
            b'{"kind": "failed", "status": "ok", "message": "all is well", "traceback": null,'
            b' "seconds": 0, "peak_mb": 0}\n'
        ),
    ),
    _forge(
        "a-new-status",
        repr(
            b'{"kind": "failed", "status": "best", "message": "all is well", "traceback": null,'
            b' "seconds": 0, "peak_mb": 0}\n'
        ),
    ),
    _forge(
        "a-message-that-is-no-text",
        repr(
            b'{"kind": "failed", "status": {"a": 1}, "message": [7], "traceback": 3, "seconds":'
            b' "x", "peak_mb": []}\n'
        ),
    ),
    _forge(
        "a-long-message",
        """b'{"kind": "failed", "status": "failed", "message": "' + b'm' * 500000 + b'", "traceback": null, "seconds": 0, "peak_mb": 0}\\n'""",
    ),
    _forge("odd-seconds", repr(b'{"kind": "done", "seconds": -1e999, "peak_mb": "much"}\n')),
    _forge("a-kind", repr(b'{"kind": "finished"}\n'), "invalid"),
    _forge("a-reply-without-a-kind", repr(b"{}\n"), "invalid"),
    _forge("a-list", repr(b"[]\n"), "invalid"),
    _forge("a-number-of-a-million-digits", "b'7' * 900000 + b'\\n'", "invalid"),
    _forge("a-deep-reply", "b'[' * 200000 + b'\\n'", "invalid"),
    _forge(
        "a-log-that-is-odd",
        repr(b'{"kind": "log", "message": {"a": 1}, "done": "x", "total": null}\n'),
        ANY_END,
        "",
    ),
    _forge("a-check", repr(b'{"kind": "check"}\n'), ANY_END, ""),
    _forge("binary-rubbish", "bytes(range(256)) * 10 + b'\\n'", "invalid"),
    _forge("a-line-without-end", "b'x' * 3_000_000", "invalid"),
    Fake(
        "forges-what-comes-later",
        BAD_END,
        ".",
        ("profile", "singles"),
        predict=f"on_every_pipe({DONE * 3!r})",
    ),
    Fake("closes-its-pipes", "failed", "", "", fit="os.closerange(3, 1024)"),
    Fake("closes-everything", "failed", "", "", fit="os.closerange(0, 1024)"),
    Fake(
        "logs-without-end",
        "ok",
        fit=(
            "for step in range(20000): context.log('\\x1b[2J[red]step[/]' + '<b>' * 100, step,"
            " 20000)"
        ),
    ),
]

#: In the place of a file with answers, something else.
INSTEAD = """
def instead(make):
    "Let `make(path)` lay out the answer to the profile question."
    from kobench.worker.wire import write_arrays
    def write(folder, arrays):
        if "profile" not in arrays:
            return write_arrays(folder, arrays)
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        make(folder / "profile.npy")
    everywhere("write_arrays", write)

def at_given(name):
    return Path(os.environ.get("TMPDIR", "/tmp")).parent.parent / "given" / name

def huge(path):
    np.save(path, np.zeros((2, 2)))
    content = path.read_bytes().replace(b"(2, 2)", b"(99999999, 9999999)")
    path.write_bytes(content)

def sparse_file(path):
    np.save(path, np.zeros((2, 2)))
    os.truncate(path, 2**31)  # more than any answer here, less than what a trial may write
"""


def _file(name: str, make: str, says: str = ".") -> Fake:
    return Fake(
        f"lays-out-{name}", "invalid", says, "profile", module=INSTEAD, fit=f"instead({make})"
    )


FILES = [
    _file("a-link", "lambda path: os.symlink(at.truth, path)"),
    _file("a-link-to-a-device", "lambda path: os.symlink('/dev/zero', path)"),
    _file(
        "a-link-to-its-own-input",
        "lambda path: os.symlink(at_given('profile') / 'assemblages.npy', path)",
    ),
    _file("a-pipe", "os.mkfifo"),
    _file(
        "a-socket",
        "lambda path: (os.chdir(path.parent), socket.socket(socket.AF_UNIX).bind('profile.npy'))",
    ),
    _file("a-folder", "lambda path: path.mkdir()"),
    _file("a-huge-header", "huge"),
    _file("a-huge-sparse-file", "sparse_file"),
    _file("an-empty-file", "lambda path: path.touch()"),
    _file("a-text", "lambda path: path.write_text('good answers')"),
    _file(
        "a-pickle",
        "lambda path: np.save(path, np.array([print, {}], dtype=object), allow_pickle=True)",
    ),
    _file(
        "a-truncated-array",
        "lambda path: (np.save(path, np.ones((12, 15)) / 15), os.truncate(path, 200))",
    ),
    _file("an-archive", "lambda path: np.savez(open(path, 'wb'), rows=np.ones(3))"),
    # what it writes lies in `out`, a folder for each question; the harness takes that away
    Fake(
        "links-its-answers-elsewhere",
        BAD_END,
        ".",
        "profile",
        fit="os.symlink(at.elsewhere, self.folder / 'out' / 'profile')",
    ),
    Fake(
        "links-its-next-answers-elsewhere",
        BAD_END,
        ".",
        "singles",
        fit="os.symlink(at.elsewhere, self.folder / 'out' / 'singles')",
    ),
    Fake(
        "lays-a-file-in-the-way-of-its-answers",
        BAD_END,
        ".",
        "profile",
        fit="(self.folder / 'out' / 'profile').touch()",
    ),
    Fake(
        "lays-a-pipe-in-the-way-of-its-answers",
        BAD_END,
        ".",
        "profile",
        fit="os.mkfifo(self.folder / 'out' / 'profile')",
    ),
    Fake(
        "lays-out-more-than-was-asked",
        "ok",
        predict="""
        for name in ("supported", "more", "raw") if first else ():
            (self.folder / "out" / "profile").mkdir(exist_ok=True)
            np.save(self.folder / "out" / "profile" / f"{name}.npy", np.ones(3))
        """,
    ),
    Fake(
        "links-its-output-elsewhere",
        ANY_END,
        sealed=True,
        fit="""
        try:
            os.rename(self.folder / 'output.log', self.folder / 'scratch' / 'log')
            os.symlink(at.elsewhere + '/kept.txt', self.folder / 'output.log')
        except OSError:
            pass
        """,
    ),
    # the harness writes the next question, as the user
    *(
        Fake(
            f"lays-{name}-in-the-way-of-the-next-question",
            ANY_END,
            "",
            ("profile", "singles"),
            sealed=True,
            fit=f"""
        given = Path(self.folder.parent / 'given' / 'singles')
        try:
            {code}
        except OSError:
            pass
        """,
        )
        for name, code in {
            "a-link": "os.symlink(at.elsewhere, given)",
            "a-linked-file": (
                "given.mkdir(); os.symlink(at.elsewhere + '/kept.txt', given / 'X.npy')"
            ),
            "a-pipe": "given.mkdir(); os.mkfifo(given / 'X.npy')",
            "a-file": "given.touch()",
        }.items()
    ),
    Fake(
        "leaves-many-odd-files",
        "ok",
        fit="""
        os.chdir(context.scratch)
        for number in range(3000): open(f'file-{number}', 'w').close()
        os.mkdir(b'\\xff\\xfe\\n\\x1b[31m')
        os.mkfifo('pipe')
        os.mkdir('closed', 0)
        for _ in range(1500):
            os.mkdir('d')
            os.chdir('d')
        """,
    ),
    Fake(
        "deletes-its-folder",
        ANY_END,
        sealed=True,
        fit=(
            "import shutil; shutil.rmtree(self.folder, ignore_errors=True);"
            " shutil.rmtree(self.folder.parent, ignore_errors=True)"
        ),
    ),
    Fake(
        "deletes-its-input",
        ANY_END,
        sealed=True,
        fit="import shutil; shutil.rmtree(self.folder.parent / 'given', ignore_errors=True)",
    ),
    Fake(
        "deletes-its-scratch",
        "ok",
        fit="import shutil; shutil.rmtree(self.scratch, ignore_errors=True)",
    ),
    Fake(
        "overwrites-its-input",
        "ok",
        sealed=True,
        fit="""
        for path in (self.folder.parent / 'given' / 'fit').glob('*.npy'):
            try:
                path.write_bytes(b'')
            except OSError:
                pass
        """,
    ),
    Fake(
        "writes-into-the-cells-it-is-given",
        "ok",
        fit="cells.X[:] = 0; cells.var_names[:] = 'x'",
        predict="assemblages[:] = False",
    ),
    Fake(
        "deletes-what-is-not-its-own",
        "ok",
        sealed=True,
        fit="""
        import shutil
        for place in at.dear:
            shutil.rmtree(place, ignore_errors=True)
        """,
    ),
    Fake(
        "writes-where-it-may-not",
        "ok",
        sealed=True,
        fit="""
        for place in at.dear:
            try:
                (Path(place) / ('written-' + at.token)).write_text('here I was')
            except OSError:
                pass
        """,
    ),
]

PATCHES = [
    Fake(
        "patches-the-guards-to-pass-nan",
        "invalid",
        "not finite",
        "profile",
        predict=(
            "everywhere('array_of', lambda values, *rest: values); everywhere('profiles_of', lambda"
            " values, *rest: values)"
        ),
        answer="rows * np.nan",
    ),
    Fake(
        "patches-the-guards-to-pass-2",
        "invalid",
        "sum to 1",
        "profile",
        predict=(
            "everywhere('array_of', lambda values, *rest: values); everywhere('profiles_of', lambda"
            " values, *rest: values)"
        ),
        answer="rows * 2",
    ),
    Fake(
        "patches-numpy",
        ANY_END,
        fit="""
        for name in ('isfinite', 'abs', 'asarray', 'sum'):
            setattr(np, name, lambda *given, **more: np.float64(1))
        """,
    ),
    Fake("patches-the-saving", BAD_END, ".", "fit", fit="np.save = lambda *given, **more: None"),
    Fake(
        "patches-kobench",
        ANY_END,
        fit="""
        for name, module in list(sys.modules.items()):
            if name.split('.')[0] == 'kobench':
                for inner in list(vars(module)):
                    if not inner.startswith('__'):
                        setattr(module, inner, None)
        """,
    ),
    Fake(
        "patches-time",
        "ok",
        fit="time.sleep(0.2)\ntime.perf_counter = time.monotonic = time.time = lambda: -1e9",
    ),
    Fake("patches-json", ANY_END, fit="json.dumps = lambda *given, **more: 'rubbish'"),
    Fake(
        "patches-os",
        ANY_END,
        fit="os.write = os.read = os.close = os.fdopen = os.mkdir = lambda *given, **more: 7",
    ),
    Fake(
        "patches-builtins",
        ANY_END,
        fit=(
            "import builtins\nbuiltins.open = builtins.print = builtins.getattr = builtins.len ="
            " None"
        ),
    ),
    Fake("forgets-every-module", ANY_END, fit="sys.modules.clear()"),
    Fake("closes-its-output", "ok", fit="sys.stdout.close(); sys.stderr = None"),
    Fake("changes-the-folder", "ok", fit="os.chdir('/')"),
    Fake("changes-its-umask", ANY_END, fit="os.umask(0o777)"),
    Fake(
        "changes-signal-handlers",
        "ok",
        fit="""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
        """,
    ),
    Fake(
        "changes-its-limits",
        ANY_END,
        fit="""
        for name in ('NOFILE', 'FSIZE', 'NPROC', 'CPU'):
            number = getattr(resource, 'RLIMIT_' + name)
            resource.setrlimit(number, (1, 1))
        """,
    ),
    Fake(
        "raises-its-limits",
        "ok",
        fit="""
        for name in ('NOFILE', 'AS', 'NPROC', 'CORE'):
            number = getattr(resource, 'RLIMIT_' + name)
            try:
                resource.setrlimit(number, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except (ValueError, OSError):
                pass
        """,
    ),
    Fake(
        "changes-the-error-state",
        "ok",
        fit=(
            "np.seterr(all='ignore'); import warnings; warnings.simplefilter('ignore'); import gc;"
            " gc.disable()"
        ),
    ),
    Fake(
        "raises-when-it-is-deleted", "ok", methods="def __del__(self): raise RuntimeError('not me')"
    ),
    Fake(
        "holds-what-can-not-be-pickled",
        "ok",
        fit=(
            "self.held = [lambda: 0, threading.Lock(), (one for one in 'abc'), open('/dev/null'),"
            " sys._getframe()]"
        ),
    ),
    Fake(
        "kills-its-parent",
        ("ok", "failed"),
        sealed=True,
        fit="""
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(os.getppid(), number)
            except OSError:
                pass
        time.sleep(0.2)
        """,
    ),
    Fake(
        "kills-everything",
        ("ok", "failed"),
        sealed=True,
        fit="""
        # outside of a process namespace of its own this would end the tests, and the user's session with them
        try:
            own = os.getpid() < 10 and os.stat('/proc/self/ns/pid').st_ino != at.pid_namespace
        except OSError:
            own = False
        try:
            if own:
                os.kill(-1, signal.SIGKILL)
        except OSError:
            pass
        """,
    ),
    Fake("kills-its-group", "failed", "SIGKILL|SIGTERM", "fit", fit="os.killpg(0, signal.SIGKILL)"),
]

TAMPERING = [*PIPES, *FILES, *PATCHES]
