"""``python -m gradmod.check FILE``: the certificate of one file as one line of JSON on standard output.

``gradmod check`` runs it, with ``--scratch DIR FILE``: then DIR is removed, and the process and all that it started
end, when standard input does: when ``gradmod check`` ends, however it does. What NEURON and the compilers print goes to
standard error.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Check the one file that is named on the command line."""
    supervised = arguments[:1] == ["--scratch"]
    files = arguments[2:] if supervised else arguments
    if len(files) != 1:
        print("usage: python -m gradmod.check FILE", file=sys.stderr)
        return 2
    if supervised:
        threading.Thread(target=_end_with_parent, args=[arguments[1]], daemon=True).start()
    # NEURON and what it runs write to file descriptor 1 themselves.
    answer = os.dup(1)
    os.dup2(2, 1)
    from .certificate import certify

    line = certify(Path(files[0])).to_json()
    os.write(answer, f"{line}\n".encode())
    os.close(answer)
    return 0


def _end_with_parent(scratch: str) -> None:
    os.read(0, 1)
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
