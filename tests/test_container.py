"""The container: what the Dockerfile says, and that its steps, done without an engine, serve and drain."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[1]
USER = 10001
# Seconds: the image's HEALTHCHECK allows 60 until the first answer; compose.yaml allows 40 for draining.
START_SECONDS = 60
GRACE_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Image:
    """A built image's folders under ``root`` and the environment its process gets."""

    root: Path
    python: str
    environment: dict[str, str]

    def placed(self, text: str) -> str:
        """The text with the image's paths moved under ``root``."""
        return re.sub(r"(?<![\w/.])/(opt/venv|src|data)\b", rf"{self.root}/\1", text)

    def command(self, words: list[str]) -> list[str]:
        """A command of the image as it runs here."""
        return [str(self.root / "opt/venv/bin" / words[0]), *map(self.placed, words[1:])]


def stages() -> list[list[Instruction]]:
    """The instructions of the Dockerfile by stage, each from its FROM on."""
    found: list[list[Instruction]] = []
    for line in json.loads(DockerfileParser(path=str(ROOT / "Dockerfile")).json):
        ((name, value),) = line.items()
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append(Instruction(name, value))
    return found


def values(stage: list[Instruction], name: str) -> list[str]:
    return [step.value for step in stage if step.name == name]


def words_after(stage: list[Instruction], name: str, prefix: str = "") -> list[str]:
    """The JSON words of an exec-form instruction."""
    (value,) = values(stage, name)
    parsed: list[str] = json.loads(value[value.index(prefix) + len(prefix) :])
    return parsed


def environment_of(stage: list[Instruction]) -> dict[str, str]:
    return dict(pair.split("=", 1) for value in values(stage, "ENV") for pair in value.split())


def test_base_can_be_chosen_and_serves_both_stages() -> None:
    build, run = stages()

    assert "ARG BASE=python:3.12-slim-bookworm\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert values(build, "FROM") == ["${BASE} AS build"]
    assert values(run, "FROM") == ["${BASE} AS run"]


def test_dependencies_are_checked_against_hashes() -> None:
    build, _ = stages()
    installs = [step for step in values(build, "RUN") if "pip install" in step]

    assert installs[0] == "/opt/venv/bin/pip install --require-hashes -r requirements.lock"
    assert all("--require-hashes" in step or "--no-deps" in step for step in installs)


def test_process_is_unprivileged_and_writes_to_data_only() -> None:
    _, run = stages()

    assert values(run, "USER") == ["10001:10001"]
    assert json.loads(values(run, "VOLUME")[0]) == ["/data"]
    assert values(run, "WORKDIR") == ["/data"]
    assert environment_of(run)["LIVESEARCH_STORE_URL"] == "sqlite+aiosqlite:////data/livesearch.db"
    assert environment_of(run)["PYTHONDONTWRITEBYTECODE"] == "1"


def test_process_gets_signals_itself() -> None:
    _, run = stages()

    assert values(run, "STOPSIGNAL") == ["SIGTERM"]
    assert words_after(run, "CMD") == ["livesearch", "serve", "--host", "0.0.0.0", "--port", "8000"]
    assert not values(run, "ENTRYPOINT")


def test_health_is_asked_of_the_process() -> None:
    _, run = stages()

    assert "http://127.0.0.1:8000/healthz" in words_after(run, "HEALTHCHECK", "CMD ")[2]


def test_image_says_what_it_is() -> None:
    _, run = stages()

    assert 'org.opencontainers.image.title="livesearch"' in values(run, "LABEL")[0]
    assert 'org.opencontainers.image.licenses="Apache-2.0"' in values(run, "LABEL")[0]


def test_build_needs_no_buildkit() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert "syntax=" not in text
    assert "--mount" not in text
    assert "<<" not in text


def test_context_holds_what_is_copied_and_no_more() -> None:
    build, _ = stages()
    copied = {source for value in values(build, "COPY") for source in value.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied


def test_hadolint_finds_nothing() -> None:
    result = subprocess.run(  # noqa: S603  # our own tool
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stdout) == (0, "")


def as_user() -> dict[str, int | list[int]]:
    """Options that make a subprocess the image's user; none where we are not root and are unprivileged already."""
    return {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}


def base_python() -> str:
    """A Python that may stand for the image's: new enough, with venv, and readable to the image's user."""
    check = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
    for name in (sys.executable, "/usr/bin/python3", *(f"python3.{minor}" for minor in (11, 12, 13))):
        path = os.path.realpath(shutil.which(name) or name)
        try:
            # The folder above may be closed to others (a home directory): then starting it fails with PermissionError.
            done = subprocess.run([path, "-c", check], check=False, capture_output=True, cwd="/", **as_user())  # type: ignore[call-overload]  # noqa: S603
        except OSError:
            continue
        if done.returncode == 0:
            return path
    pytest.skip("no Python 3.11 or newer with venv that an unprivileged user can run")


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image's folders, made by the build stage's own steps."""
    build, run = stages()
    # Not pytest's folder: that one is closed to other users.
    root = Path(tempfile.mkdtemp(prefix="livesearch-image-"))
    root.chmod(0o755)
    image = Image(root, base_python(), {})
    # As the Dockerfile has it, but with pip's cache, which an image has no use for.
    environment = {**os.environ, **environment_of(build)}
    for name in ("PIP_NO_CACHE_DIR", "PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    folder = root
    try:
        for step in build[1:]:
            if step.name == "WORKDIR":
                folder = Path(image.placed(step.value))
                folder.mkdir(parents=True, exist_ok=True)
            elif step.name == "COPY":
                *sources, target = step.value.split()
                copy(sources, folder / target)
            elif step.name == "RUN":
                execute(image, step.value, folder, environment)
        data = root / "data"
        data.mkdir(mode=0o750)
        if os.geteuid() == 0:
            os.chown(data, USER, USER)
        settings = {name: image.placed(value) for name, value in environment_of(run).items()}
        # A store URL has four slashes before an absolute path: one of them begins the path.
        settings["LIVESEARCH_STORE_URL"] = f"sqlite+aiosqlite:///{data}/livesearch.db"
        yield Image(root, image.python, settings)
    finally:
        shutil.rmtree(root)


def copy(sources: list[str], target: Path) -> None:
    for source in map(ROOT.joinpath, sources):
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def execute(image: Image, command: str, folder: Path, environment: dict[str, str]) -> None:
    command = image.placed(command.replace("python3 -m venv", f"{image.python} -m venv"))
    done = subprocess.run(  # noqa: S602  # the Dockerfile's own words, in a shell as an engine does
        command, shell=True, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    is_unreachable = re.search(r"connection|resolution|No matching distribution", done.stderr, re.IGNORECASE)
    if done.returncode and is_unreachable and os.environ.get("CI") != "true":
        pytest.skip(f"packages cannot be fetched here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# What an engine does with --read-only, --cap-drop ALL and no-new-privileges; $0 is the image's root, $@ the command.
_CONTAINED = """
mount --bind "$0" "$0" && mount --bind "$0/data" "$0/data" && mount -o remount,bind,ro "$0" && cd "$0/data" &&
exec setpriv --reuid=10001 --regid=10001 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
"""


def contained(image: Image, words: list[str]) -> list[str]:
    """The image's command as its user on a read-only root, where the system lets us; else just the command."""
    unshare = ["unshare", "--mount", "--propagation=private"]
    if os.geteuid() or subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:  # noqa: S603
        return image.command(words)
    return [*unshare, "sh", "-c", _CONTAINED, str(image.root), *image.command(words)]


@pytest.fixture
def container(image: Image) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The CMD as the image's user, in its folder, without a home; and the port it listens on."""
    _, run = stages()
    port = free_port()
    here = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
    words = [here.get(word, word) for word in words_after(run, "CMD")]
    with (image.root / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            contained(image, words),
            cwd=image.root / "data",
            env=image.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_healthy(image, port):
            assert process.poll() is None, (image.root / "log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline, (image.root / "log").read_text(encoding="utf-8")
            time.sleep(0.2)
        yield process, port
    finally:
        process.kill()
        process.wait()


def is_healthy(image: Image, port: int) -> bool:
    """Whether the image's own HEALTHCHECK command succeeds, run as its user."""
    _, run = stages()
    words = [word.replace(":8000/", f":{port}/") for word in words_after(run, "HEALTHCHECK", "CMD ")]
    done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603
        image.command(words), env=image.environment, cwd="/", check=False, capture_output=True, **as_user()
    )
    return bool(done.returncode == 0)


@pytest.mark.slow
def test_steps_of_the_dockerfile_serve_and_drain(image: Image, container: tuple[subprocess.Popen[bytes], int]) -> None:
    process, port = container
    user = Path(f"/proc/{process.pid}").stat().st_uid
    body = b"q=" + b"a" * 998
    head = f"POST /no-such-page HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"

    with socket.create_connection(("127.0.0.1", port), timeout=GRACE_SECONDS) as connection:
        connection.sendall(head.encode() + body[:500])
        time.sleep(0.3)  # long enough for the server to have begun the request
        process.terminate()
        time.sleep(0.5)
        connection.sendall(body[500:])
        answer = connection.recv(65536)
    status = process.wait(GRACE_SECONDS)

    assert user == USER or os.geteuid()
    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer
    assert status in {0, -15, 143}
    written = {path.name for path in (image.root / "data").iterdir()}
    assert "livesearch.db" in written
