#!/usr/bin/env python3
"""A small ICU data object for the gateway: time zones, English and Chinese, and what has no language.

Usage: icu-data.py OUT.o [LIB_FOUNDATION_ICU.a]

Foundation's own data holds every language of the world and is a third of a static program. The gateway speaks two, formats one fixed date
and asks for time zones. The object stands in for the large one, which then stays in its archive; NAME is what this program prints:

    swift build -c release --static-swift-stdlib -Xlinker --wrap=NAME -Xlinker $PWD/OUT.o

Needs the Swift toolchain's static libraries, a C compiler, ar and objcopy (binutils). The form of the data: "ICU Data", CmnD, in ICU's
source (ucmndata.h): a header, a table of name and data offsets, the names, the data, each 16-byte aligned.
"""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile

LANGUAGES = {"root", "en", "en_US", "en_US_POSIX", "en_001", "zh", "zh_Hans", "zh_Hans_CN", "pool", "res_index"}
# Without a language: zones and their names' keys, numbering, plurals, calendars, normalisation for host names.
ALWAYS = {
    "currencyNumericCodes", "dayPeriods", "genderList", "grammaticalFeatures", "icustd", "icuver", "keyTypeData", "likelySubtags", "langInfo", "metadata",
    "metaZones", "numberingSystems", "plurals", "pluralRanges", "supplementalData", "timezoneTypes", "units", "windowsZones", "zoneinfo64",
}


def wanted(name):
    parts = name.split("/")[1:]
    stem, kind = parts[-1].rsplit(".", 1)
    if kind == "nrm":
        return True
    if kind != "res":
        return False
    # In folders lie names of languages, regions, zones and units, collations and break rules: none of them is asked for.
    return len(parts) == 1 and (stem in LANGUAGES or stem in ALWAYS) or parts == ["curr", "supplementalData.res"]


def items(data):
    base = struct.unpack_from("<H", data)[0]
    count = struct.unpack_from("<I", data, base)[0]
    table = [struct.unpack_from("<II", data, base + 4 + 8 * index) for index in range(count)]
    ends = [start for _, start in table[1:]] + [len(data) - base]
    for (name, start), end in zip(table, ends):
        text = data[base + name : data.index(b"\0", base + name)].decode()
        yield text, data[base + start : base + end]


def packed(data):
    kept = sorted((name, body) for name, body in items(data) if wanted(name))
    header = data[: struct.unpack_from("<H", data)[0]]
    names, offsets = bytearray(), []
    start = 4 + 8 * len(kept)
    for name, _ in kept:
        offsets.append(start + len(names))
        names += name.encode() + b"\0"
    table, bodies = bytearray(struct.pack("<I", len(kept))), bytearray()
    first = (start + len(names) + 15) // 16 * 16
    for (_, body), offset in zip(kept, offsets):
        table += struct.pack("<II", offset, first + len(bodies))
        bodies += body + bytes(-len(body) % 16)
    toc = bytes(table + names)
    return header + toc + bytes(first - len(toc)) + bytes(bodies), len(kept)


def main():
    out = sys.argv[1]
    if len(sys.argv) > 2:
        archive = sys.argv[2]
    else:
        paths = json.loads(subprocess.check_output(["swiftc", "-print-target-info"]))["paths"]
        archive = os.path.join(os.path.dirname(paths["runtimeResourcePath"]), "swift_static", "linux", "lib_FoundationICU.a")
    if not os.path.exists(archive):
        sys.exit(f"icu-data.py: {archive} is not there; the Swift toolchain has no static libraries")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.check_call(["ar", "x", os.path.abspath(archive), "icu_packaged_data.cpp.o"], cwd=folder)
        member = os.path.join(folder, "icu_packaged_data.cpp.o")
        symbol = re.search(rb"\b(icudt\d+_dat)\b", subprocess.check_output(["nm", member]))
        if not symbol:
            sys.exit("icu-data.py: this toolchain keeps its ICU data in another way")
        raw, small = os.path.join(folder, "raw"), os.path.join(folder, "small")
        subprocess.check_call(["objcopy", "-O", "binary", "--only-section=.rodata*", member, raw])
        with open(raw, "rb") as file:
            data, count = packed(file.read())
        with open(small, "wb") as file:
            file.write(data)
        name = symbol.group(1).decode()
        own = f"__wrap_{name}"
        source = os.path.join(folder, "data.S")
        with open(source, "w") as file:
            file.write(f'.section .rodata,"a"\n.balign 16\n.globl {own}\n.type {own}, %object\n{own}:\n.incbin "{small}"\n.size {own}, . - {own}\n')
            file.write('.section .note.GNU-stack,"",%progbits\n')
        subprocess.check_call([os.environ.get("CC", "cc"), "-c", source, "-o", out])
    print(f"icu-data.py: {count} items, {len(data) / 1e6:.1f} MB in {out}", file=sys.stderr)
    print(name)


main()
