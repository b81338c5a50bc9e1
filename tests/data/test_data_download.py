"""Downloads: continued where they were broken off, and checked."""

import hashlib
import http.server
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from gamo_tf.data.download import Remote, default_data_dir, locate
from gamo_tf.errors import UserError, speaking_to

DATA = np.random.default_rng(0).bytes(3 * 2**20)


class Server(http.server.ThreadingHTTPServer):
    """Sends DATA, from the byte that is asked for.

    Attributes:
      starts: the first byte of each request.
      breaks_off: whether an answer ends after about a megabyte.
    """

    starts: list[int]
    breaks_off: bool = False


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.server.starts.append(start)
        if start >= len(DATA):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(DATA) - start))
        self.end_headers()
        stop = 2**20 + 17 if self.server.breaks_off else len(DATA)
        self.wfile.write(DATA[start:stop])

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Handler) as server:
        server.starts = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def remote(server):
    address = f"http://127.0.0.1:{server.server_port}/set.bin"
    return Remote(address, hashlib.sha256(DATA).hexdigest())


def test_a_download_that_was_broken_off_continues(server, remote, tmp_path):
    server.breaks_off = True
    with pytest.raises(UserError, match="broken off"):
        locate(tmp_path, remote)
    assert not (tmp_path / "set.bin").exists()
    server.breaks_off = False
    assert locate(tmp_path, remote).read_bytes() == DATA
    assert server.starts[0] == 0 and server.starts[1] > 0
    locate(tmp_path, remote)
    assert len(server.starts) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["set.bin"]


def test_a_download_that_only_lacked_its_name(server, remote, tmp_path):
    (tmp_path / "set.bin.part").write_bytes(DATA)
    assert locate(tmp_path, remote).read_bytes() == DATA
    assert server.starts == [len(DATA)]


def test_a_wrong_checksum_leaves_nothing(remote, tmp_path):
    with pytest.raises(UserError, match="SHA-256"):
        locate(tmp_path, remote._replace(sha256="0" * 64))
    assert not list(tmp_path.iterdir())


def test_a_file_that_the_user_placed_is_used_as_it_is(server, remote, tmp_path):
    (tmp_path / "set.bin").write_bytes(b"another")
    assert locate(tmp_path, remote).read_bytes() == b"another"
    assert not server.starts


def test_without_a_server_the_message_says_what_to_fetch(remote, server, tmp_path):
    server.shutdown()
    server.server_close()
    with speaking_to("scripts"), pytest.raises(UserError) as caught:
        locate(tmp_path / "new", remote, also="3 MB")
    message = str(caught.value)
    assert f"Fetch {remote.url} and put it at {tmp_path}/new/set.bin (3 MB)" in message
    assert message.endswith("or give --data-dir.")


def test_the_data_folder(monkeypatch):
    monkeypatch.setenv("GAMO_DATA_DIR", "/somewhere")
    assert default_data_dir() == Path("/somewhere")
    monkeypatch.setenv("GAMO_DATA_DIR", "")
    assert default_data_dir() == Path("data")


def test_what_is_no_file_is_not_replaced(tmp_path):
    remote = Remote("http://127.0.0.1:1/set.bin", "0" * 64)
    (tmp_path / "set.bin").mkdir()
    with pytest.raises(UserError, match=r"set.bin: not a regular file"):
        locate(tmp_path, remote)
    (tmp_path / "set.bin").rmdir()
    os.mkfifo(tmp_path / "set.bin")
    with pytest.raises(UserError, match=r"set.bin: not a regular file"):
        locate(tmp_path, remote)


def test_a_part_that_leads_elsewhere(tmp_path):
    remote = Remote("http://127.0.0.1:1/set.bin", "0" * 64)
    part = tmp_path / "set.bin.part"
    part.symlink_to(tmp_path / "other")
    with pytest.raises(UserError, match=r"set.bin.part: not a regular file"):
        locate(tmp_path, remote)
    part.unlink()
    os.mkfifo(part)
    with pytest.raises(UserError, match=r"set.bin.part: not a regular file"):
        locate(tmp_path, remote)
    assert not (tmp_path / "other").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    remote = Remote("http://127.0.0.1:1/set.bin", "0" * 64)
    with pytest.raises(UserError, match=r"set.bin is missing and could not be"):
        locate(tmp_path / "file", remote)
