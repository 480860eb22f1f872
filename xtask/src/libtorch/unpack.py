"""Unpack chosen members of a wheel, keeping their times and permissions.

    unpack.py WHEEL FOLDER PATTERN=PLACE...

PATTERN is a shell pattern over member names, and what matches goes into FOLDER/PLACE under its last name;
a PATTERN that ends in a slash is a folder of the wheel, and what is below it keeps its relative name.
A pattern that matches nothing is an error. A wheel is a zip file, whose checksums are verified on reading.
"""

import calendar
import fnmatch
import os
import posixpath
import shutil
import sys
import zipfile


def place_of(name, rules, used):
    for pattern, place in rules:
        if pattern.endswith("/"):
            if name.startswith(pattern):
                used.add(pattern)
                return posixpath.join(place, name[len(pattern):])
        elif fnmatch.fnmatchcase(name, pattern):
            used.add(pattern)
            return posixpath.join(place, posixpath.basename(name))
    return None


def main(wheel, folder, *rules):
    rules = [rule.split("=", 1) for rule in rules]
    used = set()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            place = place_of(member.filename, rules, used)
            if place is None:
                continue
            if ".." in place.split("/") or place.startswith("/"):
                sys.exit(f"{wheel}: the member {member.filename} points out of the wheel")
            target = os.path.join(folder, place)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(member) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            os.chmod(target, (member.external_attr >> 16) & 0o777 or 0o644)
            written = calendar.timegm(member.date_time + (0, 0, 0))
            os.utime(target, (written, written))
    for pattern, _ in rules:
        if pattern not in used:
            sys.exit(f"{wheel}: nothing in it matches {pattern}")


main(*sys.argv[1:])
