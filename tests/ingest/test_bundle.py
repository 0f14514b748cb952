import gzip
import hashlib
import io
import json
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import bundles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import UserError
from ingest.bundle import Limits, is_safe, open_bundle, read_manifest, unpack
from ingest.collector import pack
from ingest.errors import BundleError

LIMITS = Limits()
_TWICE = [{**bundles.PART, "outputs": "s002", "facts": "s001/x.out"}]
FILES = bundles.output(1) | bundles.output(2)


def unpacked(path, folder, limits=LIMITS):
    with open_bundle(path) as packed:
        return unpack(packed, path.name, folder, limits)


def refused(path, tmp_path, limits=LIMITS):
    """The message of the refusal; nothing lies outside the folder afterwards."""
    before = set(tmp_path.rglob("*"))
    with pytest.raises(BundleError) as caught, tempfile.TemporaryDirectory() as folder:
        unpacked(path, Path(folder), limits)
    assert set(tmp_path.rglob("*")) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("compress", [False, True])
def test_a_bundle_comes_out_as_it_went_in(tmp_path, compress):
    path = bundles.write(tmp_path / "b.tar", FILES, compress=compress)
    (tmp_path / "out").mkdir()

    found = unpacked(path, tmp_path / "out")

    there = {str(one.relative_to(found.folder)): one.read_bytes() for one in found.folder.rglob("*") if one.is_file()}
    assert there == FILES
    (part,) = found.parts
    assert (part.given.host, part.given.label, part.given.boot_id) == ("bm1", "a", "b1")


def test_equal_files_are_equal_bundles(tmp_path):
    first, second = (bundles.write(tmp_path / name, FILES) for name in ("a.tar", "b.tar"))

    assert first.read_bytes() == second.read_bytes()
    assert (
        read_manifest(first)["digest"]
        == read_manifest(bundles.write(tmp_path / "c.tgz", FILES, compress=True))["digest"]
    )


def test_names_of_any_length_and_alphabet_are_kept(tmp_path):
    files = {"s001/" + "ä" * 120 + "/" + "x" * 200 + ".out": b"text", "s001/" + "y" * 99: b""}
    (tmp_path / "out").mkdir()

    found = unpacked(bundles.write(tmp_path / "b.tar", files), tmp_path / "out")

    assert {str(one.relative_to(found.folder)) for one in found.folder.rglob("*") if one.is_file()} == set(files)


@settings(max_examples=150)
@given(st.data())
def test_any_changed_byte_is_refused_or_harmless(data):
    """Header fields that mean nothing and padding may change; content, names and manifest may not."""
    with tempfile.TemporaryDirectory() as place:
        path = bundles.write(Path(place) / "b.tar", bundles.output(1))
        raw = bytearray(path.read_bytes())
        index = data.draw(st.integers(0, len(raw) - 1))
        raw[index] ^= data.draw(st.integers(1, 255))
        path.write_bytes(raw)
        folder = Path(place) / "out"
        folder.mkdir()
        try:
            found = unpacked(path, folder)
        except UserError:
            return
        there = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
        assert there == bundles.output(1)
        assert found.parts[0].given.label == "a"


@settings(max_examples=100)
@given(st.integers(0, 100_000), st.booleans())
def test_any_prefix_is_refused(length, compress):
    with tempfile.TemporaryDirectory() as place:
        path = bundles.write(Path(place) / "b.tar", FILES, compress=compress)
        whole = path.read_bytes()
        end = len(whole) if compress else len(whole.rstrip(b"\0"))
        path.write_bytes(whole[: length % end])
        (Path(place) / "out").mkdir()

        with pytest.raises(BundleError):
            unpacked(path, Path(place) / "out")


def test_a_changed_file_is_named(tmp_path):
    path = bundles.write(tmp_path / "b.tar", FILES)
    path.write_bytes(path.read_bytes().replace(b"clear dirty log time: 0.002", b"clear dirty log time: 0.001"))

    assert "s001/dlp-1/001.out: its SHA-256" in refused(path, tmp_path)


def test_a_changed_manifest_is_refused(tmp_path):
    path = bundles.write(tmp_path / "b.tar", FILES)
    path.write_bytes(path.read_bytes().replace(b'"label": "a"', b'"label": "b"'))

    assert "was changed" in refused(path, tmp_path)


def test_a_missing_file_is_named(tmp_path):
    members = [pack.member(name, content) for name, content in FILES.items()]
    told = pack.manifest(members, [bundles.PART], "test")
    present = [(tarfile.TarInfo(name), content) for name, content in list(FILES.items())[:-2]]

    said = refused(bundles.write_tar(tmp_path / "b.tar", told, present), tmp_path)

    assert "s001/dlp-1/002.rc and 1 more: missing" in said


EVIL = [
    "/etc/kvmperf",
    "../up.out",
    "s001/../../up.out",
    "s001//x.out",
    "./x.out",
    "s001/",
    "s001/\n.out",
    "s001/\0.out",
    "x" * 300,
    "/".join("d" * 40) + "/x",
    "",
]


@pytest.mark.parametrize("name", EVIL)
def test_names_that_leave_the_folder_are_not_safe(name):
    assert not is_safe(name)


@pytest.mark.parametrize("name", EVIL[:6])
def test_a_manifest_with_an_evil_name_is_refused(tmp_path, name):
    told = pack.manifest([pack.member(name, b"x")], [bundles.PART], "test")

    assert "not a plain relative name" in refused(
        bundles.write_tar(tmp_path / "b.tar", told, [(tarfile.TarInfo(name), b"x")]), tmp_path
    )


@pytest.mark.parametrize("name", EVIL[:4])
def test_a_tar_with_an_evil_name_is_refused(tmp_path, name):
    told = pack.manifest([pack.member("s001/x.out", b"x")], [bundles.PART], "test")

    said = refused(bundles.write_tar(tmp_path / "b.tar", told, [(tarfile.TarInfo(name), b"x")]), tmp_path)

    assert "not a plain relative name" in said


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_links_devices_and_folders_are_refused(tmp_path, kind):
    told = pack.manifest([pack.member("s001/x.out", b"")], [bundles.PART], "test")
    header = tarfile.TarInfo("s001/x.out")
    header.type, header.linkname = kind, "/etc/passwd"

    said = refused(bundles.write_tar(tmp_path / "b.tar", told, [(header, b"")]), tmp_path)

    assert "s001/x.out: not a plain file" in said


def test_a_file_twice_or_unlisted_is_refused(tmp_path):
    told = pack.manifest([pack.member("s001/x.out", b"x")], [bundles.PART], "test")
    for names, says in ((["s001/x.out"] * 2, "stands there twice"), (["s001/y.out"], "is not in the manifest")):
        members = [(tarfile.TarInfo(name), b"x") for name in names]
        assert says in refused(bundles.write_tar(tmp_path / "b.tar", told, members), tmp_path)


def test_a_file_that_is_a_folder_too_is_refused(tmp_path):
    path = bundles.write(tmp_path / "b.tar", {"s001": b"x", "s001/y.out": b"y"})

    assert "s001/y.out: a file and a folder" in refused(path, tmp_path)


def test_a_bundle_within_the_limits_only(tmp_path):
    path = bundles.write(tmp_path / "b.tar", FILES)

    assert "MiB unpacked" in refused(path, tmp_path, Limits(total_bytes=1000))
    assert "more than 7 files" in refused(path, tmp_path, Limits(files=7))
    assert "more than a manifest" in refused(path, tmp_path, Limits(manifest_bytes=10))


def test_a_gzip_bomb_is_refused_early(tmp_path):
    files = {"s001/zero.out": bytes(40 << 20)}
    path = bundles.write(tmp_path / "b.tar.gz", files, compress=True)
    assert path.stat().st_size < 1 << 20

    tracemalloc.start()
    said = refused(path, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "200 times its size" in said
    assert peak < 32 << 20


def test_a_header_that_claims_a_terabyte_is_refused(tmp_path):
    told = pack.manifest([pack.member("s001/x.out", b"x")], [bundles.PART], "test")
    text = json.dumps(told).encode()
    first, big = tarfile.TarInfo(pack.MANIFEST), tarfile.TarInfo("s001/x.out")
    first.size, big.size = len(text), 1 << 40
    raw = first.tobuf() + text + bytes(-len(text) % 512) + big.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "b.tar").write_bytes(raw)

    assert "more than a file may have" in refused(tmp_path / "b.tar", tmp_path)


def test_a_giant_extended_header_is_refused(tmp_path):
    big = tarfile.TarInfo("././@PaxHeader")
    big.type, big.size = tarfile.XHDTYPE, 7 << 30
    (tmp_path / "b.tar").write_bytes(big.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))

    assert "extended header" in refused(tmp_path / "b.tar", tmp_path)


@pytest.mark.parametrize("content", [b"", b"text, no tar", bytes(10240), gzip.compress(b"text", mtime=0)])
def test_what_is_no_bundle_says_so(tmp_path, content):
    (tmp_path / "b.tar").write_bytes(content)

    refused(tmp_path / "b.tar", tmp_path)


def test_a_plain_tar_of_outputs_is_told_from_a_bundle(tmp_path):
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        header = tarfile.TarInfo("x.out")
        header.size = 1
        tar.addfile(header, io.BytesIO(b"x"))

    assert "does not begin with kvmperf-bundle.json" in refused(tmp_path / "b.tar", tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 9}, "version 9"),
        ({"format": "x"}, "not a manifest"),
        ({"files": []}, "lists no files"),
        ({"files": {"a": [1, 2, 3]}}, "with a size and a digest"),
        ({"files": {"a": [-1, "0"]}}, "with a size and a digest"),
        ({"files": {"\ud800": [1, "0"]}}, "not a plain relative name"),
        ({"parts": [{}]}, "a part without outputs"),
        ({"parts": [{**bundles.PART, "outputs": "../.."}]}, "a part without outputs"),
        ({"parts": [{**bundles.PART, "outputs": "nowhere"}]}, "named as outputs, and not there"),
        ({"parts": [{**bundles.PART, "facts": "nowhere"}]}, "named as host facts"),
        ({"parts": [{**bundles.PART, "facts": "s001/x.out"}]}, "not JSON"),
        ({"parts": [bundles.PART, bundles.PART]}, "s001: named as outputs by two parts"),
        ({"parts": [{**bundles.PART, "outputs": "s001/x.out"}, bundles.PART]}, "s001/x.out: named as outputs by two"),
        ({"parts": [{**bundles.PART, "facts": "s001/x.out"}, *_TWICE]}, "s001/x.out: named as facts by two parts"),
        ({"parts": [{**bundles.PART, "context": {"boot_since": 10**400}}]}, "boot_since is no time"),
        ({"parts": [{**bundles.PART, "context": {"boot_since": float("nan")}}]}, "boot_since is no time"),
        ({"parts": [{**bundles.PART, "context": {"boot_since": "x"}}]}, "boot_since is no time"),
        ({"parts": [{**bundles.PART, "context": {"label": 7}}]}, "label is 7"),
        ({"parts": [{**bundles.PART, "context": {"tags": [7]}}]}, "tags is [7]"),
    ],
)
def test_a_well_signed_manifest_may_still_be_nonsense(tmp_path, change, says):
    told = pack.manifest([pack.member("s001/x.out", b"x")], [bundles.PART], "test") | change
    told["digest"] = pack.digest_of(told)
    path = bundles.write_tar(tmp_path / "b.tar", told, [(tarfile.TarInfo("s001/x.out"), b"x")])

    assert says in refused(path, tmp_path)


def test_digests_are_those_of_the_bytes():
    one = pack.member("x", b"abc")

    assert (one.size, one.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
