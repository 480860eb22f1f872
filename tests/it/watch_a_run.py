"""Runs a program on a real pseudo-terminal, presses keys when it shows certain words, and says how it left the terminal.

Arguments: a JSON list of steps, then the program and its arguments. A step has "until" (words that are shown; what was drawn
over other words may be shown in parts) or "wait" (seconds since the step before), and "press" (keys) or "signal" (a
number). Prints a JSON object."""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

steps, program = json.loads(sys.argv[1]), sys.argv[2:]
before = None
child, terminal = pty.fork()
if child == 0:
    os.read(0, 1)  # not before the terminal was looked at
    os.execv(program[0], program)
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 32, 120, 0, 0))
before = termios.tcgetattr(terminal)
os.write(terminal, b"\n")

shown, seen, last, deadline = b"", 0, time.monotonic(), time.monotonic() + 300
while time.monotonic() < deadline:
    if select.select([terminal], [], [], 0.05)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    if steps and (
        time.monotonic() - last >= steps[0]["wait"] if "wait" in steps[0] else steps[0]["until"].encode() in shown[seen:]
    ):
        step, seen, last = steps.pop(0), len(shown), time.monotonic()
        if "press" in step:
            os.write(terminal, step["press"].encode())
        else:
            os.kill(child, step["signal"])
else:
    os.kill(child, signal.SIGKILL)
after = termios.tcgetattr(terminal)
_, status = os.waitpid(child, 0)
print(
    json.dumps(
        {
            "code": os.waitstatus_to_exitcode(status),
            "same_modes": before[:6] == after[:6],
            "entered": shown.count(b"\x1b[?1049h"),
            "left": shown.count(b"\x1b[?1049l"),
            "cursor_is_back": shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l"),
            "steps_left": steps,
            "after": shown[shown.rfind(b"\x1b[?1049l") :].decode(errors="replace"),
        }
    )
)
