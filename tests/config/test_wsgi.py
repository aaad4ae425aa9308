"""What a web server's process has ready before its first request."""

import subprocess
import sys

LOADED = "import gc, sys, config.wsgi; print(gc.get_freeze_count(), 'dashboards.urls' in sys.modules)"


def test_pages_are_loaded_and_left_out_of_collections() -> None:
    answer = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    frozen, has_pages = answer.stdout.split()
    assert (int(frozen) > 50_000, has_pages) == (True, "True")
