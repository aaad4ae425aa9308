"""`make screenshots`: starts a fresh installation with its demo company and takes the pictures of the README."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
PAGES = {"renewals": "/renewals/?due_from=2026-10-01&sort=due_on&outcome=open", "forecast": "/forecast/"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or "chromium"
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
START_SECONDS = 180


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"The site did not come up within {START_SECONDS} s.")


def take(browser: Browser, address: str, person: dict[str, str], *, theme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 860}, color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}/sign/login/")
    page.fill("input[name=login]", person["email"])
    page.fill("input[name=password]", person["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/renewals/**")
    for name, path in PAGES.items():
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        suffix = ("" if theme == "light" else "-dark") + ("" if width > 700 else "-phone")
        page.screenshot(path=PICTURES / f"{name}{suffix}.png")
    context.close()


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"PERENNIAL_HOME": home, "PORT": str(port)}
        site = subprocess.Popen([sys.executable, "-m", "config.supervisor"], env=environment)
        try:
            wait_until_up(f"http://127.0.0.1:{port}")
            people = {row["role"]: row for row in json.loads((Path(home) / "demo-sign-in.json").read_text())}
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
                for theme in ("light", "dark"):
                    for width in (1280, 390):
                        take(browser, f"http://127.0.0.1:{port}", people["admin"], theme=theme, width=width)
                browser.close()
        finally:
            site.send_signal(signal.SIGINT)
            site.wait(30)


if __name__ == "__main__":
    main()
