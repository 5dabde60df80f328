"""The tree is the zip's: real git, and torch.hub's own way of unpacking to compare with."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import MakeRepository
from hubpub.errors import CannotVerifyError
from hubpub.verify.checkout import Checkout, cache_name, checkout, extract
from hubpub.verify.git import Git
from hubpub.verify.reference import parse
from publishing import Link, Mirror, Repository, clean_environment

pytest.importorskip("git", reason="GitPython, of the verify extra, is not installed")


def get(mirror: Mirror, tmp_path: Path, text: str, **options: bool) -> Checkout:
    folder = tmp_path / f"work{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return checkout(parse(text, **options), folder, mirror.url)


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


ODD_FILES: dict[str, str | bytes | Link] = {
    "hubconf.py": "dependencies = ['torch']\n",
    "secret/notes.txt": "not for users",
    "version.txt": "$Format:%H$\n",
    "windows.txt": "one\ntwo\n",
    "model.pth": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "link.py": Link("hubconf.py"),
    "passwd": Link("/etc/passwd"),
    ".gitattributes": (
        "secret export-ignore\nversion.txt export-subst\nwindows.txt eol=crlf\n"
        "*.pth filter=lfs diff=lfs merge=lfs\n*.py filter=evil\n"
    ),
    ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ext::sh -c touch%20/tmp/pwned\n',
}


def test_the_tree_is_what_the_zip_holds(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    published = repository(ODD_FILES)
    sub = "160000," + "1" * 40 + ",sub"
    published.git("update-index", "--add", "--cacheinfo", sub)
    commit = published.git("commit-tree", published.git("write-tree"), "-p", "HEAD", "-m", "sub")
    published.git("tag", "v2.0", commit)

    found = get(mirror, tmp_path, "octo/net:v2.0")

    assert (found.commit, found.resolved.kind) == (commit, "tag")
    assert found.root.name == "octo_net_v2.0"
    files = tree(found.root)
    assert found.files == len(files)  # folders are none
    assert "secret/notes.txt" not in files
    assert files["version.txt"] == commit.encode() + b"\n"
    assert files["windows.txt"] == b"one\r\ntwo\r\n"
    assert files["model.pth"].startswith(b"version https://git-lfs")
    assert files["link.py"] == b"hubconf.py"
    assert files["passwd"] == b"/etc/passwd"
    assert (found.root / "sub").is_dir()
    assert not list((found.root / "sub").iterdir())
    assert not (found.root / ".git").exists()
    assert not Path("/tmp/pwned").exists()


def test_the_tree_equals_torch_hubs_own_extraction(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    hub = pytest.importorskip("torch.hub", reason="the verify extra is not installed")
    published = repository(ODD_FILES)
    archive = tmp_path / "theirs.zip"
    published.git(
        "archive", "--format=zip", "--prefix=octo-net-abc/", f"--output={archive}", "v1.0"
    )
    with zipfile.ZipFile(archive) as bundle:
        hub._safe_extract_zip(bundle, str(tmp_path / "theirs"))
    ours = get(mirror, tmp_path, "octo/net:v1.0")
    assert tree(ours.root) == tree(tmp_path / "theirs" / "octo-net-abc")


def test_refs(repository: MakeRepository, mirror: Mirror, tmp_path: Path) -> None:
    published = repository({"hubconf.py": ""}, branches=("feat/x",))
    first = published.git("rev-parse", "HEAD")
    second = published.commit({"hubconf.py": "a = 1\n"})
    published.git("tag", "--annotate", "v1.1", "--message", "signed off")

    assert get(mirror, tmp_path, "octo/net").commit == second
    assert get(mirror, tmp_path, "octo/net:v1.0").commit == first
    assert get(mirror, tmp_path, "octo/net:v1.1").commit == second
    assert get(mirror, tmp_path, "octo/net:feat/x").root.name == "octo_net_feat_x"
    assert get(mirror, tmp_path, "octo/net:" + second[:10]).resolved.kind == "commit"
    for gone in ("v9", "0" * 40):
        with pytest.raises(CannotVerifyError):
            get(mirror, tmp_path, f"octo/net:{gone}")


def test_a_local_repository_and_its_working_tree(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    published = repository({"hubconf.py": "a = 1\n", ".gitignore": "*.log\n"})
    published.write({"hubconf.py": "a = 2\n", "new.py": "", "run.log": "x"})
    before = published.git("status", "--porcelain", "--ignored")
    path = str(published.path)

    assert tree(get(mirror, tmp_path, path).root)["hubconf.py"] == b"a = 1\n"
    files = tree(get(mirror, tmp_path, path, working_tree=True).root)
    assert files["hubconf.py"] == b"a = 2\n"
    assert "new.py" in files
    assert "run.log" not in files
    assert get(mirror, tmp_path, path + ":v1.0").resolved.kind == "tag"
    assert published.git("status", "--porcelain", "--ignored") == before


def test_a_local_repository_whose_head_is_detached(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    """As a CI system checks out a tag or a pull request."""
    published = repository({"hubconf.py": "a = 1\n"})
    published.git("checkout", "--quiet", "--detach")
    commit = published.commit({"hubconf.py": "a = 2\n"})
    found = get(mirror, tmp_path, str(published.path))
    assert (found.commit, found.resolved.kind, found.resolved.ref) == (commit, "commit", commit)
    assert tree(found.root)["hubconf.py"] == b"a = 2\n"


def test_a_folder_without_git_has_a_working_tree(mirror: Mirror, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "hubconf.py").write_text("a = 1\n")
    assert "hubconf.py" in tree(get(mirror, tmp_path, str(folder), working_tree=True).root)
    with pytest.raises(CannotVerifyError) as caught:
        get(mirror, tmp_path, str(folder))
    assert "--working-tree" in str(caught.value.help)


def test_nothing_of_the_callers_git_takes_part(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook's GIT_DIR, the user's own configuration, and a template full of hooks."""
    repository({"hubconf.py": "a = 1\n"})
    canary = tmp_path / "canary"
    template = tmp_path / "template" / "hooks"
    template.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (template / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (template / name).chmod(0o755)
    config = tmp_path / "config"
    config.write_text(
        f"[init]\n\ttemplateDir = {template.parent}\n[core]\n\tfsmonitor = touch {canary}\n"
    )
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent/index")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert get(mirror, tmp_path, "octo/net:v1.0").commit
    assert not canary.exists()


def test_hooks_and_settings_of_a_hostile_repository_do_nothing(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    published = repository({"hubconf.py": "a = 1\n"})
    canary = tmp_path / "canary"
    config = published.path / ".git" / "config"
    with config.open("a") as file:
        file.write(
            f"[uploadpack]\n\tpackObjectsHook = touch {canary}; false\n"
            f"[core]\n\tfsmonitor = touch {canary}\n\tsshCommand = touch {canary}\n"
            f'[filter "lfs"]\n\tsmudge = touch {canary}\n\trequired = true\n'
        )
    for name in ("post-upload-pack", "pre-receive"):
        hook = published.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {canary}\n")
        hook.chmod(0o755)
    assert get(mirror, tmp_path, "octo/net:v1.0").commit
    assert get(mirror, tmp_path, str(published.path), working_tree=True).tree
    assert not canary.exists()


def test_a_repository_of_another_user_is_taken_when_it_is_named(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    published: Repository = repository({"hubconf.py": "a = 1\n"})
    if os.geteuid() != 0:
        pytest.skip("giving a repository to another user needs root")
    subprocess.run(["chown", "-R", "61234", str(published.path)], check=True)
    assert get(mirror, tmp_path, "octo/net:v1.0").commit


@pytest.mark.parametrize("name", ["x/../../up", "x/a\\b"])
def test_extract_refuses_names_that_leave(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr(name, "")
    with pytest.raises(CannotVerifyError):
        extract(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("bound", "value", "said"),
    [
        ("_FILE_BYTES", 1 << 20, "a file is larger than 0 GiB"),
        ("_MOST_SAID", 2000, "git ls-remote says more than"),
    ],
)
def test_a_repository_larger_than_its_bounds_is_refused(
    bound: str,
    value: int,
    said: str,
    repository: MakeRepository,
    mirror: Mirror,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = repository({"hubconf.py": "x = 1\n", "random.bin": os.urandom(3 << 20)})
    for number in range(100):
        made.git("branch", f"branch{number}")
    assert get(mirror, tmp_path, "octo/net:v1.0").files
    monkeypatch.setattr(sys.modules[Git.__module__], bound, value)
    with pytest.raises(CannotVerifyError, match=said):
        get(mirror, tmp_path, "octo/net:v1.0")


def test_unknown_repositories_and_hosts(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(CannotVerifyError) as caught:
        get(mirror, tmp_path, "octo/none")
    assert "holds no octo/none" in caught.value.message
    folder = tmp_path / "work"
    folder.mkdir()
    with pytest.raises(CannotVerifyError):
        checkout(parse("octo/net"), folder, "http://127.0.0.1:9")


def test_cache_name_is_the_loaders() -> None:
    assert cache_name("a", "b", "feat/x") == "a_b_feat_x"


class GitHttp:
    """A smart HTTP git server on the loopback interface: git's own http-backend, as GitHub's."""

    def __init__(self, mirror: Mirror) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _git_handler(mirror))
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _git_handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            path, _, query = self.path.partition("?")
            if path.startswith("/octo/private"):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
                self.end_headers()
                return
            length = int(self.headers.get("Content-Length") or 0)
            done = subprocess.run(
                ["git", "http-backend"],
                input=self.rfile.read(length),
                capture_output=True,
                env=clean_environment(mirror.home)
                | {
                    "GIT_PROJECT_ROOT": str(mirror.root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                },
            )
            head, _, body = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 (http.server's names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler


def test_over_http_as_from_github(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    published = repository(ODD_FILES)
    server = GitHttp(mirror)

    def get_over_http(text: str) -> Checkout:
        folder = tmp_path / f"http{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return checkout(parse(text), folder, server.url)

    try:
        found = get_over_http("octo/net:v1.0")
        assert found.commit == published.git("rev-parse", "v1.0")
        assert tree(found.root) == tree(get(mirror, tmp_path, "octo/net:v1.0").root)
        for text in ("octo/private:v1.0", "octo/unknown"):
            with pytest.raises(CannotVerifyError) as caught:
                get_over_http(text)
            assert "does not exist, or is private" in str(caught.value.help), caught.value.message
    finally:
        server.close()


def _object(published: Repository, kind: str, data: bytes) -> str:
    """Put an object into the repository as it is, whatever git's check says of it."""
    command = ["git", "-C", str(published.path), "hash-object", "-t", kind, "-w", "--stdin"]
    done = subprocess.run(
        [*command, "--literally"],
        input=data,
        env=clean_environment(published.home),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


AGED = {
    "zero-padded mode": ("040000 pkg", "a <a@example.org> 1 +0000"),
    "no space before the date": ("40000 pkg", "a <a@example.org>1 +0000"),
    "no address": ("40000 pkg", "a 1 +0000"),
    "no name": ("40000 pkg", "<a@example.org> 1 +0000"),
    "odd time zone": ("40000 pkg", "a <a@example.org> 1 +051800"),
    "zero-padded date": ("40000 pkg", "a <a@example.org> 0012 +0000"),
}


@pytest.mark.parametrize("what", list(AGED))
def test_what_old_tools_wrote_is_no_reason_to_refuse(
    what: str, repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    """``torch.hub`` loads such a release: GitHub's zip is made of it all the same."""
    published = repository({"hubconf.py": "x = 1\n", "pkg/net.py": "y = 2\n"})
    entry, person = AGED[what]
    ids = [
        bytes.fromhex(published.git("rev-parse", f"HEAD:{name}")) for name in ("hubconf.py", "pkg")
    ]
    tree_id = _object(
        published, "tree", b"100644 hubconf.py\0" + ids[0] + entry.encode() + b"\0" + ids[1]
    )
    text = f"tree {tree_id}\nauthor {person}\ncommitter {person}\n\nOld\n"
    published.git("update-ref", "refs/tags/old", _object(published, "commit", text.encode()))
    found = get(mirror, tmp_path, "octo/net:old")
    assert tree(found.root) == {"hubconf.py": b"x = 1\n", "pkg/net.py": b"y = 2\n"}


def test_a_partial_clone_that_lacks_the_release_is_told_from_a_damaged_one(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    published = repository({"hubconf.py": "x = 1\n", "old.bin": "left out" * 100})
    published.git("rm", "--quiet", "old.bin")
    published.commit({"hubconf.py": "x = 2\n"})
    published.git("config", "uploadpack.allowFilter", "true")
    part = tmp_path / "part"
    published.git("clone", "-q", "--filter=blob:none", published.path.as_uri(), str(part))
    assert tree(get(mirror, tmp_path, f"{part}:main").root) == {"hubconf.py": b"x = 2\n"}
    published.path.rename(tmp_path / "away")
    with pytest.raises(
        CannotVerifyError, match=r"lacks the object [0-9a-f]{12}, as a part"
    ) as found:
        get(mirror, tmp_path, f"{part}:v1.0")
    assert "--refetch" in str(found.value.help)
