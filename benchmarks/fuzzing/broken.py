"""Ways to break a file: its bytes, cells, columns, rows, encoding, XML, or the archive it lies in."""

import io
import random
import re
import struct
import zipfile

from fuzzing.made import rows, written, zipped

CELLS = (
    "",
    " ",
    "0",
    "1",
    "2",
    "4",
    "5",
    "9",
    "-1",
    "1e999",
    "1e5",
    "nan",
    "inf",
    "-inf",
    "½",
    "٣",
    "101%",
    "0.5",
    "1,2",
    "£3",
    "NULL",
    "SUPP",
    "c",
    "z",
    "x",
    "low",
    "NA",
    "Total",
    "SM",
    "SWK",
    "Outstanding",
    "Good",
    "Yes",
    "No",
    "Inadequate",
    "31/12/1899",
    "01/01/1900",
    "1899-12-30",
    "29/02/1900",
    "31/12/2999",
    "2999-12-31",
    "31/02/2020",
    "0001-01-01",
    "9999-12-31",
    "1/1/1",
    "44197",
    "01/09/2023",
    "05/06/14",
    "202324",
    "209900",
    "190001",
    "201314",
    "100001",
    "100001.0",
    "1000000000",
    "00000",
    "٠٠٠٠٠١",
    "=1+1",
    '=HYPERLINK("http://x")',
    "@SUM(A1)",
    "-A1",
    "+1",
    "\0",
    "\r",
    "\n",
    '"',
    "'",
    ",",
    "\t",
    "\x1b[2J",
    "\u202e",
    "\ufeff",
    "\ufffd",
    "é",
    "x" * 300,
    "9" * 400,
    "1" * 19,
    "Mr Jo",
)
SPLICES = (
    b'"',
    b'""',
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x81",
    b"\xc3",
    b"<",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
)  # the last as an .xls begins


def broken(name: str, content: bytes, other: bytes, chance: random.Random) -> bytes:
    """The file broken in one to four ways, most of them inside its cells, so that readers get far with it."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        if name.endswith(".csv"):
            way = chance.choice((_cells, _cells, _columns, _lines, _encoding, _bytes, _splice))
        else:
            way = chance.choice((_parts, _parts, _parts, _archive, _bytes, _splice))
        content = way(content, other, chance)
    return content


def _bytes(content: bytes, other: bytes, chance: random.Random) -> bytes:
    held = bytearray(content)
    for _ in range(chance.choice((1, 3, 20))):
        if held:
            held[chance.randrange(len(held))] = chance.randrange(256)
    return bytes(held)


def _splice(content: bytes, other: bytes, chance: random.Random) -> bytes:
    a, b, c = (chance.randrange(len(content) + 1) for _ in range(3))
    theirs = other[: chance.randrange(1 + len(other))]
    piece = chance.choice((chance.choice(SPLICES), content[min(a, b) : max(a, b)], theirs, b""))
    return content[:c] + piece + content[chance.choice((c, max(a, c))) :]


def _cells(content: bytes, other: bytes, chance: random.Random) -> bytes:
    held = rows(content) or [[""]]
    for _ in range(chance.choice((1, 1, 2, 10))):
        row = chance.choice(held)
        if row:
            old = chance.randrange(len(row))
            row[old] = chance.choice(
                (*CELLS, row[old] + chance.choice(CELLS), chance.choice(chance.choice(held) or [""]))
            )
    return written(held)


def _columns(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Columns in another order, twice, gone, wrongly named, shifted by a cell, or very many."""
    held = [row for row in rows(content) if row] or [[""]]
    width = min(map(len, held))
    one, two = chance.randrange(width), chance.randrange(width)
    way = chance.randrange(6)
    for number, row in enumerate(held):
        if way == 0:
            row[one], row[two] = row[two], row[one]
        elif way == 1:
            row.insert(two, row[one])
        elif way == 2:
            del row[one]
        elif way == 3 and number < 2:
            row[one], row[two] = row[two], row[one]
        elif way == 4 and chance.random() < 0.3:
            row.insert(one, chance.choice(CELLS))
        elif way == 5:
            row += [chance.choice(CELLS)] * chance.choice((3, 300, 3000))
    return written(held)


def _lines(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Rows again, again with other figures, in another order, gone, from another file, of nothing, or very
    long.
    """
    held = rows(content) or [[""]]
    at = chance.randrange(len(held))
    way = chance.randrange(7)
    again = (
        [[cell if chance.random() < 0.8 else chance.choice(CELLS) for cell in held[at]]]
        if way == 1
        else [held[at]]
    )
    long = [["x" * chance.choice((10_000, 140_000, 2_000_000))]]
    new = (again, again, rows(other)[:3], [[]] * 5, [[""] * len(held[at])], long, [])[way]
    held[at : at + (way == 6)] = new
    if way == 3:
        chance.shuffle(held)
    return written(held)


def _encoding(content: bytes, other: bytes, chance: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    ends = chance.choice(("\n", "\r", "\r\n", "\x85", "\u2028"))
    half = len(text) // 2
    mixed = text[:half].encode("cp1252", "replace") + "é–".encode() + text[half:].encode("utf-16-le")
    return chance.choice(
        (
            text.encode("utf-16"),
            text.encode("utf-32"),
            text.encode("cp1252", "replace"),
            b"\xef\xbb\xbf" * 2 + content,
            text.replace("\n", ends).encode(),
            mixed,
            text.replace(",", chance.choice(";\t|")).encode(),
            (f"Title,{'é' * 50}\n" * chance.choice((1, 25)) + text).encode(),
        )
    )


ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(
        f'<!ENTITY {name} "{f"&{of};" * 10}">'.encode()
        for name, of in zip("bcdefghi", "abcdefgh", strict=True)
    )
    + b"]>"
)
XML = (
    (rb"<c>|<c ", b'<c r="XFD1048576" '),
    (rb"<c>|<c ", b'<c r="A4294967295" '),
    (rb"<row>", b'<row r="1048576">'),
    (rb"<c>|<c ", b'<c t="s" '),
    (rb"<c>|<c ", b'<c t="e" '),
    (rb"<c>|<c ", b'<c s="9999" '),
    (rb"<t ?[^>]*>", b"<t>&i;"),
    (rb"<c( [^>]*)?>", b"<c><f>SUM(A1)</f>"),
    (rb"</sheetData>", b""),
    (rb"<is>", b"<is><is><is>"),
    (rb"<v>[^<]*", b"<v>1e308"),
    (rb"<v>[^<]*", b"<v>-1"),
    (rb"<text:p>", b"<text:p>&i;"),
    (rb'value-type="string"', b'value-type="date" office:date-value="x"'),
    (rb"<table:table-row>", b'<table:table-row table:number-rows-repeated="1048576">'),
    (rb"<table:table-cell", b'<table:table-cell table:number-columns-repeated="16384"'),
    (rb"<table:table-row>", b'<table:table-row table:number-rows-repeated="-1">'),
    (rb"^<\?xml[^>]*>", ENTITIES),
    (rb"sheet1.xml", b"../../../etc/passwd"),
    (rb'name="[^"]*"', b'name="' + b"x" * 10_000 + b'"'),
    (rb"<row>", b"<row/>" * 20_000 + b"<row>"),
    (rb"<row>", b"<row>" + b"<c/>" * 20_000),
    (rb">", b">" + b"<x>" * 50_000),
)


def _parts(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """One part of a workbook or archive broken: its bytes, or its XML, which may ask for terabytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            held = [(part.filename, archive.read(part)[:1_000_000]) for part in archive.infolist()]
    except (zipfile.BadZipFile, zipfile.zlib.error, EOFError, RuntimeError, OSError, ValueError):
        return _bytes(content, other, chance)
    if not held:
        return content
    at = chance.choice([place for place, (_, part) in enumerate(held) if len(part) > 200] or [0])
    name, part = held[at]
    if name.endswith(".csv"):
        part = broken(name, part, other, chance)
    elif chance.random() < 0.8:
        pattern, put = chance.choice(XML)
        part = re.sub(pattern, lambda _: put, part, count=chance.choice((1, 1, 1000)))
    else:
        part = _bytes(part, other, chance)
    held[at] = (name, part)
    return zipped(held, zipfile.ZIP_STORED if held[0][0] == "mimetype" else zipfile.ZIP_DEFLATED)


def _archive(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """The archive with members that point elsewhere, lie about their size, are links, archives or bombs, or
    very many.
    """
    held = io.BytesIO(content)
    way = chance.randrange(9)
    try:
        with zipfile.ZipFile(held, "a") as archive:
            first = archive.infolist()[0].filename if archive.infolist() else "x.csv"
            name = {
                0: "../../../../tmp/2019_escaped.csv",
                1: "/etc/2019_passwd.csv",
                2: "C:\\2019_x.csv",
                3: first,
                4: "2019_\x1b[2J\n.csv",
            }.get(way, "2019_more.csv")
            info = zipfile.ZipInfo(name)
            if way == 5:
                info.external_attr = 0o120777 << 16  # a link
                archive.writestr(info, "/etc/passwd")
            elif way == 6:
                archive.writestr("2019_inner.zip", content)
                archive.writestr(zipfile.ZipInfo("2019_inner.zip.csv"), content)
            elif way == 7:
                archive.writestr(
                    info, b" " * chance.choice((*[1_000_000] * 9, 120_000_000)), zipfile.ZIP_DEFLATED
                )
            elif way == 8:
                for number in range(chance.choice((20, 1200))):
                    archive.writestr(f"{number}.csv", "a,b\n")
            else:
                archive.writestr(info, chance.choice((b"", other[:5000], b"URN,PERCTOT\n100001,5\n")))
    except (
        zipfile.BadZipFile,
        struct.error,
        OSError,
        ValueError,
        NotImplementedError,
    ):  # it was broken before
        return content
    out = bytearray(held.getvalue())
    if chance.random() < 0.2 and (at := out.rfind(b"PK\x01\x02")) >= 0:
        out[at + 24 : at + 28] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x07"))
    return bytes(out)
