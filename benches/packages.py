#!/usr/bin/env python3
"""Validates three public packages of three languages, fetched by name and version, and prints what it took.

    cargo build --release && benches/packages.py [HUBCAP]

Needs cargo, pip and npm. Every loaded validator judges them; here that is the placeholder detector.
"""

import json
import pathlib
import resource
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = [("Rust", "tokio", "1.48.0"), ("Python", "django", "5.2.8"), ("TypeScript", "rxjs", "7.8.2")]


def run(command, folder):
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def crate(name, version, folder):
    """Through `cargo vendor`, which unpacks what a manifest asks for."""
    manifest = f'[workspace]\n[package]\nname = "x"\nedition = "2024"\n[dependencies]\n{name} = "={version}"\n'
    (folder / "Cargo.toml").write_text(manifest)
    (folder / "src").mkdir()
    (folder / "src/lib.rs").touch()
    run(["cargo", "vendor", "--quiet", "--versioned-dirs", "vendor"], folder)
    return folder / "vendor" / f"{name}-{version}"


def wheel(name, version, folder):
    run(["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", f"{name}=={version}"], folder)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def module(name, version, folder):
    run(["npm", "pack", "--silent", f"{name}@{version}"], folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def validate(hubcap, plugins, source):
    """What `hubcap validate` says, and the largest resident size of a process so far in bytes."""
    command = [hubcap, "validate", ".", "--format", "json", "--plugins", str(plugins)]
    ended = subprocess.run(command, cwd=source, stdout=subprocess.PIPE)
    if ended.returncode > 1:
        sys.exit(f"hubcap validate ended with {ended.returncode}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return json.loads(ended.stdout)["summary"], peak


def row(language, name, version, summary, peak):
    found = summary["findings"]
    megabytes, seconds = summary["bytes"] / 1e6, summary["millis"] / 1e3
    print(
        f"{language:<11}{name + ' ' + version:<14}{summary['files']:>6}{megabytes:>8.2f}{seconds:>8.2f}"
        f"{summary['files'] / seconds:>9.0f}{megabytes / seconds:>8.1f}"
        f"{found['error']:>7}{found['warning']:>9}{found['note']:>6}"
        f"{summary['peakMemoryBytes'] / 2**20:>10.1f}{peak / 2**20:>9.1f}"
    )


def main():
    hubcap = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/hubcap")
    fetchers = {"Rust": crate, "Python": wheel, "TypeScript": module}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        sources = []
        for language, name, version in PACKAGES:
            folder = scratch / name
            folder.mkdir()
            sources.append(fetchers[language](name, version, folder))
        plugins = scratch / "plugins"
        build = [hubcap, "plugin", "build", str(ROOT / "plugins/placeholder-detector"), "--out", str(plugins)]
        run(build, ROOT)
        print("language   package        files      MB       s  files/s    MB/s errors warnings notes guest MiB host MiB")
        # The build above has had its own memory: measure in a process whose only children are these.
        for (language, name, version), source in zip(PACKAGES, sources):
            measured = subprocess.run(
                [sys.executable, __file__, "--one", hubcap, str(plugins), str(source)],
                check=True, stdout=subprocess.PIPE,
            )
            row(language, name, version, *json.loads(measured.stdout))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(validate(*sys.argv[2:5])))
    else:
        main()
