"""What is settled without asking, and patches: one that fails, one that adds files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conftest import MakeRepository
from hubpub.errors import UsageError
from hubpub.scaffold import PlannedFile, planning, write
from hubpub.scaffold.asking import next_tag, settle
from hubpub.scaffold.looking import look
from hubpub.scaffold.mirroring import proposed_name
from hubpub.scaffold.patching import Proposal, apply, created, propose
from hubpub.scaffold.questions import Given, Question
from hubpub.source.text import of
from publishing import Files, write_files


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


@pytest.mark.parametrize(
    ("newest", "following"),
    [
        (None, "v1.0"), ("v1.2", "v1.3"), ("1.9", "1.10"), ("v1.2.3", "v1.3.0"),
        ("v0.0.1.2", "v0.1.0.0"),
    ],
)  # fmt: skip
def test_the_next_release_holds_what_is_written(newest: str | None, following: str) -> None:
    assert next_tag(newest) == following


@pytest.mark.parametrize(
    ("name", "entrypoint"),
    [
        ("SkyNet", "skynet"), ("UNet", "unet"), ("ResNet", "resnet"), ("VGG16", "vgg16"),
        ("TextEncoder", "text_encoder"), ("HTTPModel", "http_model"), ("net", "net"),
        ("MyNet2", "my_net2"), ("Net", "net"),
    ],
)  # fmt: skip
def test_a_class_gives_an_entrypoint_its_name(tmp_path: Path, name: str, entrypoint: str) -> None:
    write_files(tmp_path, {"n.py": f"from torch import nn\nclass {name}(nn.Module): ..."})
    (model,) = look(tmp_path).models
    assert proposed_name(model) == entrypoint


@pytest.mark.parametrize("folder", ["räkna", "モデル", "модель", "Sky Net ☁", "мой-net"])
def test_folders_of_every_script(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    given = Given(owner="octo", holder="Дарья Œuvre 山田", description="Für Wölken ☁", name="skyx")
    settled = settle(place, look(place), given)
    outcome = write(place, planning.files(look(place), settled))
    assert "hubconf.py" in outcome.written
    assert "Дарья Œuvre 山田" in (place / "LICENSE").read_text("utf-8")
    assert "Für Wölken ☁" in (place / "README.md").read_text("utf-8")
    for path, data in tree(place).items():
        if path.endswith(".py"):
            compile(data, path, "exec", dont_inherit=True)


@settings(max_examples=25)  # each reads a repository
@given(
    text=st.text(max_size=60),
    name=st.text("abcdefghABCDEFGH_öß0", min_size=1, max_size=8).filter(str.isidentifier),
)
@example(text='"""', name="N")
@example(text="\\", name="N")
@example(text="a\\N{", name="N")
@example(text='"', name="N")
def test_whatever_a_docstring_says_the_hubconf_compiles(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    source = (
        "from torch import nn\n\n\n"
        f"class {name}(nn.Module):\n    {text!r}\n\n"
        f"    def __init__(self, width={text!r}, *, name: {text!r} = 3, verbose=None):\n"
        "        super().__init__()\n\n"
        f"    def forward(self):\n        {text!r}\n"
    )
    write_files(folder, {"clouds.py": source.encode("utf-8", "replace")})
    found = look(folder)
    try:
        settled = settle(folder, found, Given(owner="octo", omitted=("licence",)))
    except UsageError:  # a name that no entrypoint can have
        return
    for file in planning.files(found, settled):
        if file.path.endswith(".py") and isinstance(file, PlannedFile):
            compile(file.text, file.path, "exec", dont_inherit=True)


def test_names_that_something_else_has_get_an_underscore(tmp_path: Path) -> None:
    source = (
        "from torch import nn\n\n\nclass Sky(nn.Module):\n"
        "    def __init__(self, model=1, model_=2, torch=3, sky=4, checkpoint=5, source=6):\n"
        "        super().__init__()\n"
    )
    write_files(tmp_path, {"clouds.py": source})
    found = look(tmp_path)
    files = planning.files(found, settle(tmp_path, found, Given(owner="octo")))
    (text,) = [
        file.text for file in files if isinstance(file, PlannedFile) and file.path == "hubconf.py"
    ]
    signature = "model__=1, model_=2, torch_=3, sky_=4, checkpoint=5, source_=6, checkpoint_=None"
    assert f"def sky({signature}):" in text
    assert " ".join(text.split("_Sky(")[1].split())[:60] == (
        "model=model__, model_=model_, torch=torch_, sky=sky_, checkp"
    )


def test_a_question_knows_its_option_and_a_valid_default(tmp_path: Path) -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return question.valid(question.default)

    settle(tmp_path / "skynet", look(tmp_path / "skynet"), Given(), ask)
    flags = [question.flag for question in asked]
    assert flags == [
        "--kind", "--name", "--entrypoint", "--owner", "--repo", "--description", "--with",
        "--licence", "--holder",
    ]  # fmt: skip


# --- patches --------------------------------------------------------------------------------------

OLD = "from torch import nn\n\ndef net():\n    return nn.Linear(2, 2)\n"


def proposal(folder: Path, files: Files) -> Proposal:
    write_files(folder, files)
    found = look(folder)
    settled = settle(folder, found, Given(owner="octo", repo="net"))
    assert settled.mode == "patch"
    return propose(folder, found, settled.answers)


def test_a_patch_that_fails_half_way_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    made = proposal(folder, {"hubconf.py": OLD, "README.md": "# Net\n"})
    assert set(made.changed) == {"hubconf.py", "README.md"}
    (folder / ".github").write_text("in the way of the workflow's folder")
    before = tree(folder)
    with pytest.raises(UsageError, match=r"already there.*\.github"):
        apply(folder, made)
    assert tree(folder) == before


@pytest.mark.parametrize("step", [1, 2, 3, 6])
def test_a_patch_that_is_stopped_leaves_everything_as_it_was(tmp_path: Path, step: int) -> None:
    folder = tmp_path / "net"
    made = proposal(folder, {"hubconf.py": OLD, "README.md": "# Net\n"})
    before, asked = tree(folder), []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) == step

    with pytest.raises(KeyboardInterrupt):
        apply(folder, made, stopped)
    assert tree(folder) == before


@pytest.mark.parametrize("changed", ["hubconf.py", "README.md"])
def test_what_changed_meanwhile_is_not_overwritten(tmp_path: Path, changed: str) -> None:
    folder = tmp_path / "net"
    made = proposal(folder, {"hubconf.py": OLD, "README.md": "# Net\n"})
    (folder / changed).write_text("x = 'somebody else wrote this'\n")
    before = tree(folder)
    with pytest.raises(UsageError, match=f"{changed} (cannot be|was not) changed"):
        apply(folder, made)
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("files", "absent", "remark"),
    [
        ({"hubpub.toml": "fail-on = 'note'\n"}, "hubpub.toml", ""),
        ({"pyproject.toml": "[tool.hubpub]\nfail-on = 'note'\n"}, "hubpub.toml", ""),
        (
            {".pre-commit-config.yaml": "repos: []\n"}, ".pre-commit-config.yaml",
            ".pre-commit-config.yaml is there, and stays as it is",
        ),
        ({"README.rst": "Net\n===\n"}, "README.md", "show in README.rst: torch.hub.load("),
    ],
)  # fmt: skip
def test_what_is_there_is_not_proposed(
    tmp_path: Path, files: dict[str, str], absent: str, remark: str
) -> None:
    made = proposal(tmp_path / "net", {"hubconf.py": OLD, **files})
    assert absent not in {file.path for file in made.new}
    assert absent not in made.changed
    assert any(line.startswith(remark) for line in made.remarks) or not remark


def test_only_names_of_modules_are_repeated(tmp_path: Path) -> None:
    listed = 'dependencies = ["torch", "numpy", "a\\n      - run: evil"]\n'
    made = proposal(tmp_path / "net", {"hubconf.py": listed + OLD})
    written = "".join(file.text for file in made.new if isinstance(file, PlannedFile))
    assert "evil" not in written
    assert "torch.hub.load(" in written


@pytest.mark.parametrize("readme", ["# Net\r\n\r\n## License\r\n\r\nMine.\r\n", "# Net", ""])
def test_a_section_keeps_the_ends_of_lines(tmp_path: Path, readme: str) -> None:
    made = proposal(tmp_path / "net", {"hubconf.py": OLD, "README.md": readme})
    before, after = made.changed["README.md"]
    assert before == of(readme)
    assert after.count("torch.hub.load(") == 1
    assert ("\r\n" in readme) == ("\r\n" in after)
    assert "\r\n" not in readme or "\n" not in after.replace("\r\n", "")
    if "License" in readme:
        assert after.endswith("## License\r\n\r\nMine.\r\n")


@pytest.mark.parametrize("data", [b"", b"a", b"a\n", b"a\nb\n\n", bytes(range(256)) * 3])
@pytest.mark.parametrize("path", ["a.txt", "a b/c d.txt", 'q"\\.txt', "ä/\t.txt", "~.txt"])
def test_a_new_file_is_what_git_makes_of_it(
    repository: MakeRepository, tmp_path: Path, data: bytes, path: str
) -> None:
    made = repository({"first.txt": ""})
    (tmp_path / "p.diff").write_bytes(created(path, data, binary=b"\0" in data))
    made.git("apply", str(tmp_path / "p.diff"))
    assert tree(made.path) == {"first.txt": b"", path: data}
