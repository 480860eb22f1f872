"""Pictures of a real run: its own screen while it trains, then MLflow and TensorBoard as they show it.

  cargo xtask screenshots                      # sets everything up, calls this, and says where the pictures are

Needs selenium and pyte here, Chromium and its driver on the PATH, and a Python each for MLflow and TensorBoard.
"""
import argparse
import contextlib
import fcntl
import html
import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
from pathlib import Path

import pyte
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.ui import WebDriverWait

COLUMNS, LINES = 132, 42
PATIENCE = 120  # seconds for a server or a page
COLOURS = {
    "default": "#d8dee9", "black": "#3b4252", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef",
    "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#e5e9f0", "brightblack": "#7f848e", "brightred": "#e06c75",
    "brightgreen": "#98c379", "brightbrown": "#e5c07b", "brightblue": "#61afef", "brightmagenta": "#c678dd",
    "brightcyan": "#56b6c2", "brightwhite": "#ffffff",
}
BACKGROUND = "#1b1f27"


def colour(name, otherwise):
    if name == "default":
        return otherwise
    return COLOURS.get(name, f"#{name}")


def page_of(screen):
    """The terminal's cells as an HTML page."""
    lines = []
    for y in range(screen.lines):
        cells = []
        for x in range(screen.columns):
            cell = screen.buffer[y][x]
            ink, paper = colour(cell.fg, COLOURS["default"]), colour(cell.bg, BACKGROUND)
            if cell.reverse:
                ink, paper = paper, ink
            weight = "bold" if cell.bold else "normal"
            style = f"color:{ink};background:{paper};font-weight:{weight}"
            style += ";display:inline-block;width:9px;height:18px;overflow:hidden"
            cells.append(f'<span style="{style}">{html.escape(cell.data or " ")}</span>')
        lines.append("".join(cells))
    body = "\n".join(lines)
    return (
        f'<meta charset="utf-8"><body style="margin:0;padding:16px;background:{BACKGROUND}">'
        f'<pre style="margin:0;font:15px/18px \'DejaVu Sans Mono\',monospace">{body}</pre>'
    )


def watch(command, folder, epoch):
    """Runs the program on a terminal; its screen as it was last seen with this epoch on it, and its exit code."""
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ["TERM"] = "xterm-256color"
        os.execv(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    page, left = None, False
    while True:
        if not select.select([terminal], [], [], 0.2)[0]:
            # Nothing is being drawn: the screen is whole.
            text = "\n".join(screen.display)
            if not left and f"epoch {epoch}" in text:
                page = page_of(screen)
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        # The emulator has no second screen: the program's begins empty, and what comes after it is not looked at.
        _, entered, drawn = part.rpartition(b"\x1b[?1049h")
        if entered:
            screen.reset()
            part = drawn
        left = left or b"\x1b[?1049l" in part
        stream.feed(part)
    _, status = os.waitpid(child, 0)
    return page, os.waitstatus_to_exitcode(status), "\n".join(screen.display)


@contextlib.contextmanager
def server(command, port, path, folder, name):
    """A server in `folder` that is up when this goes on, and stopped with its children after it."""
    with open(folder / f"{name}.log", "wb") as log:
        process = subprocess.Popen([str(word) for word in command], cwd=folder, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).close()
                break
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{name} did not start: {(folder / f'{name}.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Browser:
    def __init__(self, out):
        self.out = out
        self.profile = tempfile.mkdtemp()
        options = webdriver.ChromeOptions()
        for flag in ("headless=new", "no-sandbox", "enable-unsafe-swiftshader", "use-angle=swiftshader", "no-first-run", "disable-background-networking",
                     "disable-component-update", "disable-sync", "hide-scrollbars", f"user-data-dir={self.profile}"):
            options.add_argument(f"--{flag}")
        options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def shoot(self, name, url, wanted, size=(1500, 1000), settle=3.0):
        """A picture of `url` once the element `wanted` (XPath) is there."""
        self.driver.set_window_size(*size)
        self.driver.get(url)
        WebDriverWait(self.driver, PATIENCE).until(seen.presence_of_element_located((By.XPATH, wanted)))
        time.sleep(settle)  # charts are drawn by and by
        path = self.out / f"{name}.png"
        self.driver.save_screenshot(str(path))
        print(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tapeline", type=Path, required=True)
    parser.add_argument("--mlflow", type=Path, required=True, help="a Python with MLflow")
    parser.add_argument("--tensorboard", type=Path, required=True, help="a Python with TensorBoard")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    arguments = parser.parse_args()
    if not shutil.which("chromedriver"):
        sys.exit("Chromium and its driver are needed (Debian: apt-get install chromium chromium-driver)")
    arguments.out.mkdir(parents=True, exist_ok=True)
    # Not resolved: a virtual environment's Python is a link.
    program, mlflow, tensorboard = (
        Path(os.path.abspath(path)) for path in (arguments.tapeline, arguments.mlflow, arguments.tensorboard)
    )
    browser = Browser(arguments.out.resolve())
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(browser):
        folder = Path(folder)
        port = free_port()
        serve = [mlflow, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1",
                 "--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "files", "--serve-artifacts"]
        with server(serve, port, "/health", folder, "mlflow") as address:
            command = [str(program), "train", "--ui", "tui", "--set", f"training.num_epochs={arguments.epochs}",
                       "--set", f'tracking.mlflow={{uri: "{address}", registered_model: extractor}}',
                       "--set", "tracking.tensorboard={}"]
            page, code, last = watch(command, folder, arguments.epochs)
            if code != 0 or page is None:
                sys.exit(f"the run ended with {code}; its screen:\n{last}")
            screen = folder / "screen.html"
            screen.write_text(page)
            browser.shoot("screen", screen.as_uri(), "//pre", size=(1290, 960), settle=0.5)

            api = f"{address}/ajax-api/2.0/mlflow"
            experiment = ask(f"{api}/experiments/get-by-name?experiment_name=quickstart")["experiment"]["experiment_id"]
            [run] = ask(f"{api}/runs/search", {"experiment_ids": [experiment]})["runs"]
            run = f"{address}/#/experiments/{experiment}/runs/{run['info']['run_id']}"
            browser.shoot("mlflow-run", run, "//*[contains(text(),'Parameters')]", size=(1500, 1400))
            browser.shoot("mlflow-metrics", f"{run}/model-metrics", "//*[contains(@class,'plotly')]", size=(1500, 1400))
            browser.shoot("mlflow-files", f"{run}/artifacts", "//*[contains(text(),'report.html')]")

        port = free_port()
        serve = [tensorboard, "-m", "tensorboard.main", "--host", "127.0.0.1", "--port", port, "--load_fast", "false",
                 "--logdir", "runs"]
        with server(serve, port, "/data/environment", folder, "tensorboard") as address:
            for tab in ("timeseries", "scalars", "histograms", "images", "projector", "hparams"):
                browser.shoot(f"tensorboard-{tab}", f"{address}/#{tab}", "//tb-webapp", size=(1500, 1100), settle=8.0)


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
