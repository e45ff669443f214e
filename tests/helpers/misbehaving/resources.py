"""Predictors that take what is not theirs: memory, processes, threads, the disk, the log; each
bounded, should no limit end it.

Their limits are those of `frame.LIMITS`.
"""

from __future__ import annotations

from misbehaving.fake import Fake

#: Fills memory in steps, up to 1.5 GB, then waits to be found out.
FILL = """
held = []
for _ in range(30):
    held.append(np.ones(50 * 2**20 // 8))
    time.sleep(0.01)
time.sleep(5)
"""

#: Five children of 300 MB each: not one of them is near the limit.
FORKS = """
children = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        held = np.ones(300 * 2**20 // 8)
        time.sleep(8)
        os._exit(0)
    children.append(child)
time.sleep(6)
"""

#: At most 200 processes, each asleep.
BOMB = """
for _ in range(200):
    try:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
    except OSError:
        break
time.sleep(5)
"""

#: A chain in which each process but the newest ends at once, so that nobody has a parent.
CHAIN = """
if os.fork() == 0:
    for _ in range(150):
        if os.fork():
            time.sleep(0.02)
            if os.fork():
                os._exit(0)
            time.sleep(20)
            os._exit(0)
    os._exit(0)
time.sleep(8)
"""

THREADS = """
def wait(): time.sleep(15)
for _ in range(2000):
    try:
        threading.Thread(target=wait, daemon=True).start()
    except RuntimeError:
        break
time.sleep(5)
"""

#: 200 MB that a walk of the folder finds.
DISK = """
with open(context.scratch / 'much', 'wb') as file:
    for _ in range(200):
        file.write(bytes(2**20))
        file.flush()
        time.sleep(0.005)
    time.sleep(3)
"""

#: 200 MB in a file that has no name any more.
NAMELESS = """
file = open(context.scratch / 'nameless', 'wb')
os.unlink(context.scratch / 'nameless')
for _ in range(200):
    file.write(bytes(2**20))
    file.flush()
    time.sleep(0.005)
time.sleep(3)
"""

#: 1.5 GB of memory that belongs to no process's address space.
MEMFD = """
number = os.memfd_create('much')
for _ in range(750):
    os.write(number, bytes(2 * 2**20))
time.sleep(5)
"""

MEMORY, PROCESSES, WRITTEN = "--memory", "--processes", "--written"

#: One at a time: they would slow down what runs beside them.
RESOURCES = [
    Fake("fills-memory-in-fit", "out-of-memory", MEMORY, "fit", fit=FILL),
    Fake(
        "fills-memory-at-once",
        "out-of-memory",
        MEMORY,
        "fit",
        fit="held = np.ones(1500 * 2**20 // 8)\ntime.sleep(5)",
    ),
    Fake("fills-memory-in-predict", "out-of-memory", MEMORY, "profile", predict=FILL),
    Fake(
        "fills-memory-when-its-class-is-imported",
        "out-of-memory",
        MEMORY,
        ("import", "fit"),
        module=FILL,
        core=True,
    ),
    Fake("fills-memory-over-forks", "out-of-memory", MEMORY, "fit", fit=FORKS),
    Fake("fills-memory-without-an-address", "out-of-memory", MEMORY, "fit", fit=MEMFD),
    Fake("forks-without-end", "too-many-processes", PROCESSES, "fit", fit=BOMB),
    Fake("forks-without-parents", "too-many-processes", PROCESSES, "fit", fit=CHAIN),
    Fake("starts-threads-without-end", "too-many-processes", PROCESSES, "fit", fit=THREADS),
    Fake("fills-the-disk", "too-much-written", WRITTEN, "fit", fit=DISK),
    Fake("fills-the-disk-without-a-name", "too-much-written", WRITTEN, "fit", fit=NAMELESS),
    Fake(
        "fills-the-disk-with-output",
        "too-much-written",
        WRITTEN,
        "fit",
        fit="for _ in range(200): os.write(1, bytes(2**20)); time.sleep(0.005)\ntime.sleep(3)",
    ),
]

#: A process that nobody waits for, in a session of its own, with the run's token in its command
#: line; `leave` says how it is left behind.
DAEMON = """
if os.fork() == 0:
    try:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            {leave}
    finally:
        os._exit(0)
"""

NAMED = "ctypes.CDLL(None).prctl(15, at.token[:15].encode(), 0, 0, 0); time.sleep(600)"
LISTENS = """own = socket.socket(socket.AF_UNIX)
            own.bind('\\0' + at.token); own.listen()
            try:
                other = socket.socket(); other.bind(('127.0.0.1', at.free_port)); other.listen()
            except OSError:
                pass
            time.sleep(600)"""

#: Processes that would outlive the trial.
DAEMONS = [
    Fake("leaves-a-daemon-in-fit", "ok", fit=DAEMON.format(leave=NAMED)),
    Fake("leaves-a-daemon-in-predict", "ok", predict=DAEMON.format(leave=NAMED)),
    Fake(
        "leaves-a-daemon-and-crashes",
        "failed",
        "SIGSEGV",
        "fit",
        fit=DAEMON.format(leave=NAMED) + "ctypes.string_at(0)",
    ),
    Fake(
        "leaves-another-program",
        "ok",
        fit=DAEMON.format(
            leave=(
                "subprocess.Popen(['/bin/sh', '-c', 'sleep 600; exit', at.token],"
                " start_new_session=True)"
            )
        ),
    ),
    Fake("leaves-a-server", "ok", fit=DAEMON.format(leave=LISTENS)),
    Fake("leaves-a-thread", "ok", fit="threading.Thread(target=lambda: time.sleep(600)).start()"),
    Fake("leaves-an-exit-handler", "ok", fit="import atexit; atexit.register(time.sleep, 600)"),
    Fake(
        "leaves-shared-memory",
        "ok",
        sealed=True,
        fit="""
        try:
            with open('/dev/shm/' + at.token, 'wb') as file: file.write(bytes(2**20))
        except OSError:
            pass
        """,
    ),
    Fake(
        "leaves-shared-memory-of-the-old-kind",
        "ok",
        sealed=True,
        fit="ctypes.CDLL(None).shmget(at.key, ctypes.c_size_t(2**20), 0o1666)",
    ),
]

#: The same as soon as its plugin is described, which `kobench list` does, too.
DAEMON_AT_IMPORT = Fake("leaves-a-daemon-at-import", "ok", module=DAEMON.format(leave=NAMED))

#: A great deal of output is no crime: it goes to a log, of which a record keeps the tail.
OUTPUT = [
    Fake("prints-a-million-lines", "ok", fit="for line in range(10**6): print('line', line)"),
    Fake(
        "prints-binary-rubbish",
        "ok",
        fit=(
            "os.write(1, np.random.default_rng(0).bytes(10**6)); os.write(2, bytes(range(256)) *"
            " 100)"
        ),
    ),
    Fake(
        "prints-escape-sequences",
        "ok",
        fit=(
            "print('\\x1b]0;' + at.token + '\\x07\\x1b[2J\\x1b[31m' + '<script>' + at.token +"
            " '</script>')"
        ),
    ),
]
