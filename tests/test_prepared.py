"""What readers of large sets share: the pool that is decoded once, and downloads."""

import hashlib
import http.server
import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from gamo_tf.datasets import files, prepared
from gamo_tf.errors import UserError
from gamo_tf.specs import DATASETS

RNG = np.random.default_rng(0)


def pool(tmp_path, decode, source="a", counts=(8, 4)):
    spec = replace(DATASETS["svhn"], shape=(2, 2, 3), classes=("x", "y"), counts=counts)
    spec = replace(spec, test_per_class=2)
    keys = [[f"x{k}" for k in range(30)], [f"y{k}" for k in range(20)]]
    return prepared.pool(spec, tmp_path, keys, decode, {"source": source}, "keys")


def test_a_pool_is_made_once_and_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared, "_BLOCK", 4)
    seen = []

    def decode(key: str) -> np.ndarray:
        if len(seen) == 10:
            raise ValueError("power cut")
        seen.append(key)
        return np.full((2, 2, 3), int(key[1:]), np.uint8)

    with pytest.raises(UserError, match="power cut"):
        pool(tmp_path, decode)
    names = {p.name for p in (tmp_path / "prepared").iterdir()}
    assert names == {".part-svhn.npy", ".part-svhn.json"}  # nothing looks finished
    first = len(seen)
    done = json.loads((tmp_path / "prepared" / ".part-svhn.json").read_text())["done"]
    assert done == 8 <= first
    seen[:] = [""] * 100
    images, labels, test_images, _ = pool(tmp_path, decode)
    assert len(seen) == 100 + len(images) + len(test_images) - done
    assert np.bincount(labels).tolist() == [16, 8]
    values = {int(v) for v in images[:, 0, 0, 0]}
    assert len(values) >= 16 and not seen[100:].count("")
    names = {p.name for p in (tmp_path / "prepared").iterdir()}
    assert names == {"svhn.npy", "svhn.json"}

    def never(key: str):
        raise AssertionError("decoded again")

    again = pool(tmp_path, never)
    np.testing.assert_array_equal(again[0], images)
    with pytest.raises(UserError, match="decoded again"):  # another source: anew
        pool(tmp_path, never, source="b")


# ---- downloads -------------------------------------------------------------------


class Server(http.server.BaseHTTPRequestHandler):
    data, asked, whole = RNG.bytes(3 * 2**20), [], True

    def do_GET(self) -> None:
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        Server.asked.append(start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.data) - start))
        self.end_headers()
        stop = len(self.data) if Server.whole else 2**20 + 17
        self.wfile.write(self.data[start:stop])

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def remote():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        digest = hashlib.sha256(Server.data).hexdigest()
        Server.asked, Server.whole = [], True
        yield files.Remote(f"http://127.0.0.1:{server.server_port}/set.bin", digest)
        server.shutdown()


def test_a_download_that_was_broken_off_goes_on(remote, tmp_path):
    Server.whole = False
    with pytest.raises(UserError, match="broken off"):
        files.locate(tmp_path, remote)
    assert not (tmp_path / "set.bin").exists()
    Server.whole = True
    assert files.locate(tmp_path, remote).read_bytes() == Server.data
    assert Server.asked[0] == 0 and Server.asked[1] > 0
    files.locate(tmp_path, remote)
    assert len(Server.asked) == 2 and [p.name for p in tmp_path.iterdir()] == [
        "set.bin"
    ]


def test_a_wrong_checksum_leaves_nothing(remote, tmp_path):
    with pytest.raises(UserError, match="SHA-256"):
        files.locate(tmp_path, remote._replace(sha256="0" * 64))
    assert not list(tmp_path.iterdir())
