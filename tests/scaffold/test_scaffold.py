"""What init writes, and that it never writes over, or half of, anything."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.errors import UsageError
from hubpub.scaffold import Answers, PlannedFile, answer, init, plan, write
from publishing import write_files

ANSWERS = Answers("skynet", "skynet_small", "octo", "sky-net", "octo", 2026)
EXPECTED = [
    "LICENSE",
    "README.md",
    "hubconf.py",
    "hubpub.toml",
    "skynet/__init__.py",
    "skynet/network.py",
    "skynet/weights/skynet-189fd9da.pth",
    "tests/test_hubconf.py",
]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder`` with its content, hidden ones included."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "package", "repo"),
    [
        ("skynet", "skynet", "skynet"),
        ("Sky-Net", "sky_net", "Sky-Net"),
        ("Sky Net (v2)", "sky_net_v2", "Sky-Net-v2"),
        ("_private_", "private", "_private_"),
        ("räkna", "rakna", "rakna"),
    ],
)
def test_names_come_from_the_folder(tmp_path: Path, folder: str, package: str, repo: str) -> None:
    given_none = answer(tmp_path / folder)
    assert (given_none.package, given_none.entrypoint, given_none.repo) == (package, package, repo)
    assert given_none.holder == f"the {repo} authors"


def test_the_folder_name_is_the_one_given_not_the_one_linked_to(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "skynet").symlink_to("models")
    assert answer(tmp_path / "skynet").package == "skynet"
    assert answer(tmp_path / "skynet" / ".." / "skynet").package == "skynet"


def test_given_names_win(tmp_path: Path) -> None:
    answers = answer(tmp_path / "models", name="a1", entrypoint="b2", owner="o-c", repo="r.s_t")
    assert (answers.package, answers.entrypoint) == ("a1", "b2")
    assert (answers.owner, answers.repo, answers.holder) == ("o-c", "r.s_t", "o-c")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "class"}, "'class' cannot be imported"),
        ({"name": "3d"}, "'3d' cannot be imported"),
        ({"name": "a-b"}, "'a-b' cannot be imported"),
        ({"name": "_a"}, "'_a' cannot be imported"),
        ({"name": ""}, "'' cannot be imported"),
        ({"name": "nät"}, "'nät' cannot be imported"),
        ({"name": "a\n"}, "cannot be imported"),
        ({"name": "utils"}, "many repositories use it"),
        ({"name": "Models"}, "many repositories use it"),
        ({"name": "src"}, "many repositories use it"),
        ({"name": "json"}, "standard library"),
        ({"name": "torch"}, "hide the package"),
        ({"name": "hubconf"}, "hide the package"),
        ({"entrypoint": "_hidden"}, "'_hidden' cannot be a public function's"),
        ({"entrypoint": "a.b"}, "'a.b' cannot be a public function's"),
        ({"entrypoint": ""}, "'' cannot be a public function's"),
        ({"entrypoint": "dependencies"}, "would hide another name"),
        ({"entrypoint": "print"}, "would hide another name"),
        ({"owner": "o/c"}, "'o/c' is not a GitHub account name"),
        ({"owner": '"""'}, "is not a GitHub account name"),
        ({"owner": "a" * 40}, "is not a GitHub account name"),
        ({"repo": "a b"}, "'a b' is not a GitHub repository name"),
        ({"repo": ".."}, "'..' is not a GitHub repository name"),
        ({"repo": "a.git"}, "'a.git' is not a GitHub repository name"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(
    tmp_path: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        init(tmp_path / "skynet", **options)
    assert message in refused.value.message
    assert refused.value.help
    assert not (tmp_path / "skynet").exists()


@pytest.mark.parametrize("folder", ["models", "3d-net", "---", "lambda", "numpy"])
def test_a_folder_that_gives_no_name_asks_for_one(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError) as refused:
        init(tmp_path / folder)
    assert repr(folder) in refused.value.message
    assert "--name" in (refused.value.help or "")
    assert init(tmp_path / folder, name="skynet").written


@given(st.text(max_size=20))
def test_any_name_is_taken_or_refused(name: str) -> None:
    try:
        answers = answer(Path("skynet"), name=name, owner=name or None)
    except UsageError:
        return
    assert answers.package.isidentifier()
    assert answers.package.isascii()


# --- rendering ------------------------------------------------------------------------------------


def test_every_file_is_rendered_completely() -> None:
    planned = plan(ANSWERS)
    assert [file.path for file in planned] == [
        path.replace("skynet-", "skynet_small-") for path in EXPECTED
    ]
    for file in planned:
        for left in ("{{", "}}", "{%", "OWNER"):
            assert left not in file.text, file.path
        assert file.data is not None or file.text.endswith("\n")
        if file.path.endswith(".py"):
            compile(file.text, file.path, "exec", dont_inherit=True)
    text = {file.path: file.text for file in planned}
    assert "def skynet_small(" in text["hubconf.py"]
    assert "from skynet.network import build" in text["hubconf.py"]
    assert "Copyright (c) 2026, octo" in text["LICENSE"]
    for path in ("hubconf.py", "README.md"):
        call = 'torch.hub.load("octo/sky-net:v1.0", "skynet_small", trust_repo=True)'
        assert call in text[path]


# --- writing --------------------------------------------------------------------------------------


def test_writes_into_a_new_and_into_an_existing_folder(tmp_path: Path) -> None:
    new = tmp_path / "deep" / "skynet"
    assert init(new).written == tuple(EXPECTED)
    assert sorted(tree(new)) == EXPECTED
    existing = tmp_path / "skynet"
    write_files(existing, {"notes.txt": "mine"})
    assert init(existing).written == tuple(EXPECTED)
    assert sorted(tree(existing)) == sorted([*EXPECTED, "notes.txt"])


def test_files_get_the_modes_of_ordinary_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        init(tmp_path / "skynet")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "skynet/hubconf.py").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "skynet/skynet").stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ({"README.md": "mine"}, ("README.md",)),
        ({"readme.rst": "mine"}, ("readme.rst",)),
        ({"LICENCE.txt": "mine"}, ("LICENCE.txt",)),
        ({"COPYING": "mine", "README": ""}, ("COPYING", "README")),
    ],
)
def test_a_readme_and_a_licence_of_ones_own_are_kept(
    tmp_path: Path, own: dict[str, str], kept: tuple[str, ...]
) -> None:
    write_files(tmp_path / "skynet", own)
    outcome = init(tmp_path / "skynet")
    assert outcome.kept == kept
    assert len(outcome.written) == len(EXPECTED) - len(kept)
    after = tree(tmp_path / "skynet")
    assert sorted(after) == sorted([*outcome.written, *kept])
    for path, content in own.items():
        assert after[path] == content.encode()


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ({"hubconf.py": "mine"}, ["hubconf.py"]),
        ({"skynet/__init__.py": "", "hubconf.py": "mine"}, ["hubconf.py", "skynet/__init__.py"]),
        ({"skynet": "a file"}, ["skynet"]),
        ({"tests/test_hubconf.py": "mine"}, ["tests/test_hubconf.py"]),
    ],
)
def test_a_file_in_the_way_stops_everything(
    tmp_path: Path, own: dict[str, str], named: list[str]
) -> None:
    folder = tmp_path / "skynet"
    write_files(folder, own)
    before = tree(folder)
    with pytest.raises(UsageError) as refused:
        init(folder)
    assert refused.value.message.endswith(": " + ", ".join(named))
    assert tree(folder) == before


def test_links_are_in_the_way_too(tmp_path: Path) -> None:
    folder = tmp_path / "skynet"
    (tmp_path / "elsewhere").mkdir()
    folder.mkdir()
    (folder / "tests").symlink_to(tmp_path / "elsewhere")
    (folder / "hubconf.py").symlink_to("nowhere")
    with pytest.raises(UsageError, match=r"hubconf\.py, tests$"):
        init(folder)
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (folder / "README.md").exists()


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_folder_that_is_no_folder(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "skynet"
    if kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to("nowhere")
    with pytest.raises(UsageError, match="is not a folder"):
        init(place)
    assert kind != "file" or place.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(UsageError, match="cannot write /proc/skynet") as refused:
        init(Path("/proc/skynet"))
    assert (refused.value.help or "").startswith("nothing was written; ")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(errno.ENOSPC, "disk full")])
def test_whatever_stops_it_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    real, calls = os.link, []

    def link(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 4:
            raise stop
        real(source, target)

    write_files(tmp_path, {"skynet/notes.txt": "mine"})
    monkeypatch.setattr(os, "link", link)
    with pytest.raises((KeyboardInterrupt, UsageError)):
        init(tmp_path / "skynet")
    calls.clear()
    with pytest.raises((KeyboardInterrupt, UsageError)):
        init(tmp_path / "new" / "skynet")
    assert tree(tmp_path) == {"skynet/notes.txt": b"mine"}
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "skynet/tests").exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link

    def link(source: Path, target: Path) -> None:
        if target.name == "hubconf.py":
            target.write_text("somebody else's")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(UsageError, match=r"cannot write .*hubconf\.py"):
        init(tmp_path / "skynet")
    assert tree(tmp_path) == {"skynet/hubconf.py": b"somebody else's"}


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Path, target: Path) -> None:
        if (tmp_path / "stop").exists() and target.name == "network.py":
            target.write_text("somebody else's")
        raise PermissionError(errno.EPERM, "no hard links here", str(source), None, str(target))

    monkeypatch.setattr(os, "link", link)
    init(tmp_path / "skynet")
    assert tree(tmp_path / "skynet") == {
        file.path: file.content for file in plan(answer(tmp_path / "skynet"))
    }
    (tmp_path / "stop").touch()
    with pytest.raises(UsageError, match=r"network\.py"):
        init(tmp_path / "other" / "skynet")
    assert tree(tmp_path / "other") == {"skynet/skynet/network.py": b"somebody else's"}


def test_nothing_to_write_is_no_error(tmp_path: Path) -> None:
    assert write(tmp_path, ()).written == ()
    only = PlannedFile("README.md", "x", ("readme",))
    (tmp_path / "README.md").write_text("mine")
    assert write(tmp_path, (only,)).kept == ("README.md",)
