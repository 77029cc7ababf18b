"""The wheel works away from the repository, with its demo, templates and static files."""

import os
import re
import shutil
import site
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[1]
START_SECONDS = 60

pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, env=environment, check=False, capture_output=True, text=True)  # noqa: S603
    if done.returncode and "connection" in done.stderr.lower() and os.environ.get("CI") != "true":
        pytest.skip(f"packages cannot be fetched here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what is in the repository."""
    folder = tmp_path_factory.mktemp("build")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("src", "templates"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are the ones this one has.

    A ``.pth`` file adds a folder to the path and does not read the ``.pth`` files in it: the editable install of this
    checkout stays out.
    """
    environment = tmp_path_factory.mktemp("wheel") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "--quiet")
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=environment.parent)
    (packages,) = (environment / "lib").glob("python3.*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")
    return environment


@pytest.fixture(scope="module")
def served(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of ``livesearch serve``, started in an empty folder."""
    folder = tmp_path_factory.mktemp("empty")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(  # noqa: S603
            [installed / "bin" / "livesearch", "serve", "--port", str(port)],
            cwd=folder,
            env=bare_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=30) as client,
    ):
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(client):
                text = (folder / "log").read_text(encoding="utf-8")
                assert process.poll() is None, text
                assert time.monotonic() < deadline, text
                time.sleep(0.2)
            yield client
        finally:
            process.terminate()


def bare_environment() -> dict[str, str]:
    foreign = ("LIVESEARCH_", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False


def test_wheel_holds_every_template_and_static_file(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    templates = {f"livesearch/{path.relative_to(ROOT)}" for path in (ROOT / "templates").rglob("*.html")}
    static = {
        str(path.relative_to(ROOT / "src")) for path in (ROOT / "src/livesearch/static").rglob("*") if path.is_file()
    }

    assert templates
    assert templates <= names
    assert static <= names
    assert "livesearch/demo/demo_console_games.jsonl.gz" in names
    assert "livesearch/py.typed" in names


def test_wheel_holds_the_licences(wheel: Path) -> None:
    names = {name.split(".dist-info/")[1] for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" in name}

    assert "licenses/LICENSE" in names
    assert "licenses/src/livesearch/demo/LICENSE.txt" in names
    assert any(name.startswith("licenses/src/livesearch/static/vendor/LICENSE") for name in names)


def test_package_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    script = "import livesearch; print(livesearch.__file__)"

    found = run(installed / "bin" / "python", "-c", script, cwd=tmp_path, environment=bare_environment())

    assert Path(found.strip()).is_relative_to(installed)


def test_wheel_serves_the_demo(served: httpx.Client) -> None:
    page = served.get("/")

    assert page.status_code == 200
    assert "17,022" in page.text


def test_wheel_serves_static_files(served: httpx.Client) -> None:
    urls = re.findall(r'(?:src|href)="(/static/[^"#]+)', served.get("/").text)

    assert any(url.split("?")[0].endswith(".css") for url in urls)
    assert any(url.split("?")[0].endswith(".js") for url in urls)
    assert [url for url in urls if served.get(url).status_code != 200] == []


def test_wheel_searches_the_demo(served: httpx.Client) -> None:
    answer = served.get("/", params={"q": "zelda ocarina"})

    assert answer.status_code == 200
    assert "Ocarina" in answer.text
