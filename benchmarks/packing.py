"""How fast BigEarthNet is packed and read, beside rasterio and torchgeo, in one run and with a warm page cache.

A synthetic archive of v1 is packed from GeoTIFF by one process and by two; rasterio reads the same patches, in native
resolution and as torchgeo does (each band on 120 × 120 pixels). Then random patches are read, all bands into one set of
arrays, from a pack (by one thread and by two, from one shard and from sixteen) and from torchgeo's data set; beside
them stands what one plain copy of as many bytes takes in memory. Ways alternate; printed are medians with the fastest
and the slowest.

What is packed is each patch of the archive five times, as hard links under further names: large enough that the start
of a second process is a small part, with less than 2 GB on the disk. The processor time is that of the process that
packs alone, with its threads; it says more than the rate where other programs run.

The greatest resident memory is that of fresh processes that pack a quarter of the archive and all of it.

    python benchmarks/packing.py [PATCHES] [REPEATS]
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling

from terrawatt.data.archive import open_archive
from terrawatt.data.bands import RESOLUTIONS
from terrawatt.data.geotiff import reading
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.packformat import SHARD_PATCHES
from terrawatt.data.patch import band_files
from terrawatt.data.synth import synthesise

PATCHES, REPEATS = 1_600, 5
COPIES = 5
OF_RASTERIO, OF_TORCHGEO = 150, 100  # patches that the slow ways read each time
BATCH, BATCHES = 100, 100
PACK_AIM, RASTERIO_AIM, READ_AIM, TORCHGEO_AIM = 3_000, 10, 100_000, 500

Rates = dict[str, list[float]]


def main() -> int:
    """Print the table; 1 where an aim is missed."""
    given = [int(value) for value in sys.argv[1:3]]
    patches, repeats = (*given, *(PATCHES, REPEATS)[len(given) :])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesise(folder / "v1", version="v1", patches=patches, seed=1)
        pack_archive(open_archive(folder / "v1"), folder / "kept")  # and the archive is in the page cache
        pack_archive(open_archive(folder / "v1"), folder / "shards", Packing(shard_patches=-(-patches // 16)))
        enlarge(folder / "v1", folder / "large")
        cpu_s: list[float] = []
        ways = {
            "packing, one process": lambda: pack_all(folder, processes=1, cpu_s=cpu_s),
            "packing, two processes": lambda: pack_all(folder, processes=2, cpu_s=[]),
            "rasterio, native": lambda: rasterio_native(folder),
            "rasterio, 120 pixels, as torchgeo": lambda: rasterio_upsampled(folder),
            "pack, random, all bands, one thread": reader(folder / "kept"),
            "pack, random, all bands, two threads": reader(folder / "kept", helped=True),
            "the same, from 16 shards": reader(folder / "shards", helped=True),
            "as many bytes in one plain copy": copier(folder / "kept"),
            "torchgeo, item": torchgeo_items(folder / "v1"),
        }
        rates = alternate(ways, repeats)
        memory = [fresh_process_mb(folder, share) for share in (4, 1)]
    print(
        f"{patches:,} patches of BigEarthNet v1, {COPIES} times, {os.cpu_count()} cores; "
        f"patches/s, median of {repeats} (least … most)"
    )
    for way, found in rates.items():
        print(f"  {way:<36}{statistics.median(found):>10,.0f}   ({min(found):,.0f} … {max(found):,.0f})")
    all_of_them = patches * COPIES
    print(f"  processor time of packing, one process: {statistics.median(cpu_s) / all_of_them * 1e6:.0f} µs a patch")
    print(f"  memory of packing {all_of_them // 4:,} / {all_of_them:,} patches: {memory[0]:.0f} / {memory[1]:.0f} MB")
    return judge({way: statistics.median(found) for way, found in rates.items()})


def judge(median: dict[str, float]) -> int:
    """Print the aims beside what was found."""
    one, read = median["packing, one process"], median["pack, random, all bands, two threads"]
    aims = [
        ("packing, one process", one, PACK_AIM, "patches/s"),
        ("packing against rasterio, native", one / median["rasterio, native"], RASTERIO_AIM, "×"),
        ("random reading of a pack", read, READ_AIM, "patches/s"),
        ("random reading against torchgeo's item", read / median["torchgeo, item"], TORCHGEO_AIM, "×"),
    ]
    for what, found, aim, unit in aims:
        print(f"aim: {what}: {found:,.0f} of {aim:,} {unit}: {'reached' if found >= aim else 'MISSED'}")
    return int(any(found < aim for _, found, aim, _ in aims))


def alternate(ways: dict[str, Callable[[], float]], repeats: int) -> Rates:
    """Patches per second of each way, each time one after the other."""
    rates: Rates = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            rates[way].append(run())
    return rates


def enlarge(archive: Path, large: Path) -> None:
    """An archive with each patch of another several times, in the same split, as hard links under further names."""
    (large / "splits").mkdir(parents=True)
    for listed in (archive / "splits").glob("*.csv"):
        names = listed.read_text(encoding="utf-8").split()
        lines = [f"{copy_name(name, number)}\n" for number in range(COPIES) for name in names]
        (large / "splits" / listed.name).write_text("".join(lines), encoding="utf-8")
    for folder in (archive / "BigEarthNet-v1.0").iterdir():
        for number in range(COPIES):
            name = copy_name(folder.name, number)
            (large / "BigEarthNet-v1.0" / name).mkdir(parents=True)
            for file in folder.iterdir():
                os.link(file, large / "BigEarthNet-v1.0" / name / file.name.replace(folder.name, name, 1))


def copy_name(name: str, number: int) -> str:
    """The name of a copy: the same tile, another column."""
    *scene, column, row = name.split("_")
    return "_".join([*scene, str(int(column) + 1_000 * number), row])


def pack_all(folder: Path, processes: int, cpu_s: list[float]) -> float:
    """Pack in shards of which each process gets as many, and which are not larger than those of real packs."""
    archive = open_archive(folder / "large")
    shard = min(SHARD_PATCHES, -(-len(archive.entries) // 4))
    begin, begin_cpu_s = time.perf_counter(), time.process_time()
    pack_archive(archive, folder / "pack", Packing(shard_patches=shard, processes=processes))
    rate = len(archive.entries) / (time.perf_counter() - begin)
    cpu_s.append(time.process_time() - begin_cpu_s)
    shutil.rmtree(folder / "pack")
    return rate


def rasterio_native(folder: Path) -> float:
    """Each band as it is."""
    return _with_rasterio(folder, lambda dataset: dataset.read(1))


def rasterio_upsampled(folder: Path) -> float:
    """Each band on 120 × 120 pixels, as torchgeo asks for it."""
    return _with_rasterio(
        folder,
        lambda dataset: dataset.read(1, out_shape=(120, 120), out_dtype="int32", resampling=Resampling.bilinear),
    )


def _with_rasterio(folder: Path, read: Callable[[object], object]) -> float:
    entries = open_archive(folder / "v1").entries[:OF_RASTERIO]
    begin = time.perf_counter()
    with reading():
        for entry in entries:
            for file in band_files(entry).values():
                with rasterio.open(file) as dataset:
                    read(dataset)
    return len(entries) / (time.perf_counter() - begin)


def reader(path: Path, *, helped: bool = False) -> Callable[[], float]:
    """Random batches of a pack into the same arrays; all of it was read once before."""
    helper = ThreadPoolExecutor(1) if helped else None
    pack = Pack.open(path)
    buffers = pack.buffers(BATCH)
    random = np.random.default_rng(0)
    for first in range(0, len(pack), BATCH):
        pack.read(range(first, min(first + BATCH, len(pack))), out=buffers)

    def run() -> float:
        batches = [random.integers(0, len(pack), BATCH) for _ in range(BATCHES)]
        begin = time.perf_counter()
        for rows in batches:
            pack.read(rows, out=buffers, helper=helper)
        return BATCH * BATCHES / (time.perf_counter() - begin)

    return run


def copier(path: Path) -> Callable[[], float]:
    """Batches of pixels from memory of their own: what the machine copies, without files, in one thread."""
    source = Pack.open(path).read(range(len(Pack.open(path)))).arrays
    target = [array[:BATCH].copy() for array in source]

    def run() -> float:
        begin = time.perf_counter()
        for number in range(BATCHES):
            first = number * BATCH % (len(source[0]) - BATCH + 1)
            for array, copy in zip(source, target, strict=True):
                copy[:] = array[first : first + BATCH]
        return BATCH * BATCHES / (time.perf_counter() - begin)

    return run


def torchgeo_items(archive: Path) -> Callable[[], float]:
    """Items of torchgeo's data set, bands of Sentinel-2."""
    from torchgeo.datasets import BigEarthNet

    dataset = BigEarthNet(str(archive), split="train", bands="s2", num_classes=19)
    random = np.random.default_rng(0)

    def run() -> float:
        items = random.integers(0, len(dataset), OF_TORCHGEO).tolist()
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for item in items:
                dataset[item]
        return OF_TORCHGEO / (time.perf_counter() - begin)

    return run


def fresh_process_mb(folder: Path, share: int) -> float:
    """The greatest resident memory of a process that packs a part of the archive, in MB."""
    command = [sys.executable, __file__, "--memory", str(folder), str(share)]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def memory_mb(folder: Path, share: int) -> float:
    """Pack a part of the archive in this process."""
    archive = open_archive(folder / "large")
    part = archive.part(archive.entries[: len(archive.entries) // share])
    pack_archive(part, folder / "memory", Packing(RESOLUTIONS, shard_patches=256))
    shutil.rmtree(folder / "memory")
    # Not getrusage: its greatest size begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        print(json.dumps(memory_mb(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        sys.exit(main())
