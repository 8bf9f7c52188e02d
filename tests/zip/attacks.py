# SPDX-License-Identifier: Apache-2.0
"""Zips that somebody tampered with, or that are made so that two readers see different things.

    attacks.py OUT   makes OUT/CASE.zip for every case, with the keys and certificates of the current folder

Every archive is written record by record.  What a case does not change is signed properly, so that it is refused for what it is about.
"""
import base64, hashlib, os, struct, subprocess, sys, zlib

import stamps

CASES = {}
FILES = [("conf/a.xml", b"<a>" + b"some text " * 300 + b"</a>", 8), ("b.bin", bytes(range(256)), 0)]
UTF8, DESCRIPTOR = 1 << 11, 1 << 3


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


class Entry:
    def __init__(self, name, data, method=0, **odd):
        self.name = name if isinstance(name, bytes) else name.encode()
        self.data, self.method, self.odd = data, method, odd
        self.packed = odd.get("packed")
        if self.packed is None:
            deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            self.packed = data if method == 0 else deflate.compress(data) + deflate.flush()
        self.crc = odd.get("crc", zlib.crc32(data))

    def fields(self, where):
        odd = dict(self.odd, **self.odd.get(where, {}))
        flags = odd.get("flags", 0 if self.name.isascii() else UTF8)
        return (flags, odd.get("method", self.method), odd.get("time", 0x6000), odd.get("date", 0x5000), odd.get("crc", self.crc),
                odd.get("packed_size", len(self.packed)), odd.get("size", len(self.data)), odd.get("name", self.name), odd.get("extra", b""))

    def local(self):
        *numbers, name, extra = self.fields("local")
        needed = dict(self.odd, **self.odd.get("local", {})).get("needed", 20)
        head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", needed, *numbers, len(name), len(extra))
        return head + name + extra + self.packed + self.odd.get("after", b"")

    def central(self, offset):
        *numbers, name, extra = self.fields("central")
        comment = self.odd.get("comment", b"")
        return struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", self.odd.get("made", 3 << 8 | 20), self.odd.get("needed", 20), *numbers, len(name), len(extra), len(comment), 0, 0,
                           self.odd.get("attributes", 0o100644 << 16), self.odd.get("offset", offset)) + name + extra + comment


def end_record(count, size, offset, comment=b""):
    return struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, size, offset, len(comment)) + comment


def archive(entries, comment=b"", prefix=b"", shift=None, before_directory=b"", after_directory=b"", tail=b"", count=None, local_only=()):
    """shift: what is added to offsets because of prefix; None: its size"""
    body, central = prefix, b""
    shift = 0 if shift is None else shift - len(prefix)
    for e in entries:
        if e not in local_only:
            central += e.central(len(body) + shift)
        body += e.local()
    body += before_directory
    count = len(entries) - len(local_only) if count is None else count
    return body + central + after_directory + end_record(count, len(central), len(body) + shift, comment) + tail


# ---- signing ----

def line(text):
    data, out = text.encode() if isinstance(text, str) else text, b""
    while len(data) > 72:
        out, data = out + data[:72] + b"\r\n", b" " + data[72:]
    return out + data + b"\r\n"


def digest(data, algorithm="sha256"):
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


def section(name, data, attribute="SHA-256-Digest", algorithm="sha256"):
    return line(b"Name: " + (name if isinstance(name, bytes) else name.encode())) + line("%s: %s" % (attribute, digest(data, algorithm))) + b"\r\n"


MAIN = b"Manifest-Version: 1.0\r\nCreated-By: a test\r\n\r\n"


def manifest_of(files, **how):
    return MAIN + b"".join(section(name, data, **how) for name, data, *_ in files)


def sections_of(manifest):
    return [part + b"\r\n\r\n" for part in manifest.split(b"\r\n\r\n") if part]


def signature_file(manifest, attribute="SHA-256-Digest", algorithm="sha256", whole=True):
    main, *rest = sections_of(manifest)
    text = b"Signature-Version: 1.0\r\n"
    if whole:
        text += line("%s-Manifest: %s" % (attribute, digest(manifest, algorithm)))
    text += line("%s-Manifest-Main-Attributes: %s" % (attribute, digest(main, algorithm))) + b"\r\n"
    for part in rest:
        name = part.replace(b"\r\n ", b"").split(b"\r\n")[0][6:]
        text += section(name, part, attribute, algorithm)
    return text


made = {}


def block(text, signer=None):
    signer = signer or "one"
    if (text, signer) not in made:
        made[text, signer] = subprocess.run(["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-signer", signer + ".pem", "-inkey", signer + ".key",
                                             "-certfile", "ca.pem"],
                                            input=text, capture_output=True, check=True).stdout
    return made[text, signer]


def meta(manifest, text=None, signature=None, stem="ONE", signer=None):
    text = signature_file(manifest) if text is None else text
    return [Entry("META-INF/MANIFEST.MF", manifest, 8), Entry("META-INF/%s.SF" % stem, text, 8),
            Entry("META-INF/%s.RSA" % stem, block(text, signer) if signature is None else signature, 8)]


def entries_of(files):
    return [Entry(*f) for f in files]


def signed(files=FILES, entries=None, **how):
    """an archive of these entries, whose files are signed as FILES say"""
    return archive(meta(manifest_of(files)) + (entries_of(files) if entries is None else entries), **how)


def with_manifest(manifest, files=FILES, **how):
    return archive(meta(manifest, **how) + entries_of(files))


def odd_entry(**odd):
    """the second file is odd"""
    name, data, method = FILES[1]
    return signed(entries=[Entry(*FILES[0]), Entry(name, data, method, **odd)])


def odd_deflated(**odd):
    name, data, method = FILES[0]
    return signed(entries=[Entry(name, data, method, **odd), Entry(*FILES[1])])


def named(name, **odd):
    """an odd name, properly signed"""
    raw = name if isinstance(name, bytes) else name.encode()
    return signed(FILES + [(raw, b"evil", 0)], entries_of(FILES) + [Entry(raw, b"evil", 0, **odd)])


# ---- a proper one, to see that the rest is refused for its own sake ----

@case
def proper():
    return signed()


# ---- what is not signed ----

@case
def unsigned_entry():
    return signed(entries=entries_of(FILES) + [Entry("evil.txt", b"evil")])


@case
def unsigned_entry_first():
    return archive([Entry("evil.txt", b"evil")] + meta(manifest_of(FILES)) + entries_of(FILES))


@case
def unsigned_in_meta_inf():
    return signed(entries=entries_of(FILES) + [Entry("META-INF/evil.txt", b"evil")])


@case
def unsigned_below_meta_inf():
    return signed(entries=entries_of(FILES) + [Entry("META-INF/services/evil.Service", b"evil")])


@case
def entry_absent():
    return signed(entries=entries_of(FILES[:1]))


@case
def every_entry_absent():
    return signed(entries=[])


@case
def content_changed_stored():
    return signed(entries=entries_of([FILES[0], ("b.bin", b"evil", 0)]))


@case
def content_changed_deflated():
    return signed(entries=entries_of([("conf/a.xml", b"<a>evil</a>", 8), FILES[1]]))


@case
def contents_exchanged():
    return signed(entries=entries_of([("conf/a.xml", FILES[1][1], 8), ("b.bin", FILES[0][1], 0)]))


@case
def folder_with_content():
    return signed(entries=entries_of(FILES) + [Entry("folder/", b"evil", attributes=0o40755 << 16 | 16)])


@case
def folder_hides_bytes():
    empty = Entry("folder/", b"", 8).packed
    return signed(entries=entries_of(FILES) + [Entry("folder/", b"", 8, packed=empty + b"evil", attributes=0o40755 << 16 | 16)])


# ---- manifest and signature file ----

@case
def manifest_digest_changed():
    return archive(meta(manifest_of([FILES[0], ("b.bin", b"evil")]), signature_file(manifest_of(FILES))) +
                   entries_of([FILES[0], ("b.bin", b"evil", 0)]))


@case
def manifest_section_added():
    more = manifest_of(FILES + [("evil.txt", b"evil")])
    return archive(meta(more, signature_file(manifest_of(FILES))) + entries_of(FILES + [("evil.txt", b"evil", 0)]))


@case
def manifest_main_changed():
    manifest = manifest_of(FILES)
    return with_manifest(manifest.replace(b"\r\n\r\n", b"\r\nClass-Path: evil.jar\r\n\r\n", 1), text=signature_file(manifest))


@case
def manifest_absent():
    return archive(meta(manifest_of(FILES))[1:] + entries_of(FILES))


@case
def signature_absent():
    return archive(meta(manifest_of(FILES))[:1] + entries_of(FILES))


@case
def signature_file_changed():
    manifest = manifest_of([FILES[0], ("b.bin", b"evil")])
    return archive(meta(manifest, signature_file(manifest), block(signature_file(manifest_of(FILES)))) +
                   entries_of([FILES[0], ("b.bin", b"evil", 0)]))


@case
def signature_file_digests_nothing():
    return with_manifest(manifest_of(FILES), text=b"Signature-Version: 1.0\r\n\r\n")


@case
def signature_file_digests_main_only():
    text = b"Signature-Version: 1.0\r\n" + line("SHA-256-Digest-Manifest-Main-Attributes: " + digest(MAIN)) + b"\r\n"
    return with_manifest(manifest_of(FILES), text=text)


@case
def signature_file_leaves_one_out():
    text = signature_file(manifest_of(FILES[:1]), whole=False)
    return with_manifest(manifest_of(FILES), text=text)


@case
def signature_file_leaves_main_out():
    text = b"Signature-Version: 1.0\r\n\r\n" + b"".join(section(f[0], s) for f, s in zip(FILES, sections_of(manifest_of(FILES))[1:]))
    return with_manifest(manifest_of(FILES), text=text)


@case
def signature_file_names_stranger():
    return with_manifest(manifest_of(FILES), text=signature_file(manifest_of(FILES)) + section("evil.txt", b"x"))


@case
def signature_file_section_twice():
    text = signature_file(manifest_of(FILES))
    return with_manifest(manifest_of(FILES), text=text + section("b.bin", sections_of(manifest_of(FILES))[2]))


@case
def signature_file_of_another_archive():
    other = manifest_of([("other.txt", b"other")])
    return with_manifest(manifest_of(FILES), text=signature_file(other))


@case
def weak_manifest_sha1():
    return with_manifest(manifest_of(FILES, attribute="SHA1-Digest", algorithm="sha1"))


@case
def weak_manifest_md5():
    manifest = manifest_of(FILES[:1]) + section(*FILES[1][:2], attribute="MD5-Digest", algorithm="md5")
    return with_manifest(manifest)


@case
def weak_signature_file_sha1():
    return with_manifest(manifest_of(FILES), text=signature_file(manifest_of(FILES), "SHA1-Digest", "sha1"))


@case
def weak_signature_file_sections():
    manifest = manifest_of(FILES)
    text = signature_file(manifest, whole=False).split(b"Name:")[0]
    return with_manifest(manifest, text=text + b"".join(section(f[0], s, "SHA1-Digest", "sha1") for f, s in zip(FILES, sections_of(manifest)[1:])))


@case
def no_digest_at_all():
    manifest = manifest_of(FILES[:1]) + b"Name: b.bin\r\nSealed: true\r\n\r\n"
    return with_manifest(manifest)


@case
def block_absent():
    return archive(meta(manifest_of(FILES))[:2] + entries_of(FILES))


@case
def block_alone():
    return signed(entries=entries_of(FILES) + [Entry("META-INF/TWO.RSA", b"evil")])


@case
def block_twice():
    text = signature_file(manifest_of(FILES))
    return signed(entries=entries_of(FILES) + [Entry("META-INF/ONE.EC", block(text), 8)])


@case
def block_of_dsa():
    return signed(entries=entries_of(FILES) + [Entry("META-INF/ONE.DSA", b"evil")])


@case
def block_empty():
    return with_manifest(manifest_of(FILES), signature=b"")


@case
def block_no_cms():
    return with_manifest(manifest_of(FILES), signature=b"evil" * 100)


@case
def block_cut_off():
    return with_manifest(manifest_of(FILES), signature=block(signature_file(manifest_of(FILES)))[:-1])


@case
def block_changed():
    good = block(signature_file(manifest_of(FILES)))
    return with_manifest(manifest_of(FILES), signature=good[:-5] + bytes([good[-5] ^ 1]) + good[-4:])


@case
def signature_of_another_kind():
    return signed(entries=entries_of(FILES) + [Entry("META-INF/SIG-EVIL", b"evil")])


@case
def second_signature_bad():
    return archive(meta(manifest_of(FILES)) + meta(manifest_of(FILES), signature=block(b"another text"), stem="TWO")[1:] + entries_of(FILES))


@case
def first_signature_bad():
    return archive(meta(manifest_of(FILES), signature=block(b"another text")) + meta(manifest_of(FILES), stem="TWO")[1:] + entries_of(FILES))


def beside(manifest, first):
    """a proper signature and one that is as proper, but of another manifest"""
    pairs = [meta(manifest_of(FILES), stem="TWO" if first else "ONE"), meta(manifest, stem="ONE" if first else "TWO")]
    return archive(pairs[0] + pairs[1][1:] + entries_of(FILES))


OTHERS = [(name, data + b"!", method) for name, data, method in FILES]


@case
def second_signature_of_another_manifest():
    return beside(manifest_of(OTHERS), False)


@case
def first_signature_of_another_manifest():
    return beside(manifest_of(OTHERS), True)


@case
def second_signature_of_another_main():
    """the same files, in a manifest that says something else about itself"""
    return beside(MAIN.replace(b"a test", b"nobody") + manifest_of(FILES)[len(MAIN):], False)


@case
def second_signature_of_more():
    return beside(manifest_of(FILES + [("c.txt", b"c", 0)]), False)


@case
def proper_two():
    return archive(meta(manifest_of(FILES)) + meta(manifest_of(FILES), stem="TWO", signer="two")[1:] + entries_of(FILES))


@case
def second_signature_untrusted():
    return archive(meta(manifest_of(FILES)) + meta(manifest_of(FILES), stem="TWO", signer="stranger")[1:] +
                   entries_of(FILES))


# ---- manifest tricks ----

def tricked(change):
    return with_manifest(change(manifest_of(FILES)))


@case
def manifest_section_twice():
    return tricked(lambda m: m + section("b.bin", b"evil"))


@case
def manifest_section_twice_continued():
    return tricked(lambda m: m + section("b.bin", b"evil").replace(b"Name: b.bin", b"Name: b.\r\n bin"))


@case
def manifest_begins_with_continuation():
    return tricked(lambda m: b" evil\r\n" + m)


@case
def manifest_section_begins_with_continuation():
    return tricked(lambda m: m.replace(b"\r\n\r\nName: b", b"\r\n\r\n evil\r\nName: b"))


@case
def manifest_empty_continuation():
    return tricked(lambda m: m.replace(b"Name: b.bin\r\n", b"Name: b.bin\r\n \r\n"))


@case
def manifest_attribute_twice():
    return tricked(lambda m: m.replace(b"Name: b.bin\r\n", b"Name: b.bin\r\nName: evil.txt\r\n"))


@case
def manifest_digest_twice():
    return tricked(lambda m: m.replace(b"Name: b.bin\r\n", b"Name: b.bin\r\n" + line("sha-256-digest: " + digest(b"evil"))))


@case
def manifest_name_second():
    return tricked(lambda m: m.replace(b"Name: b.bin\r\n", b"Sealed: true\r\nName: b.bin\r\n"))


@case
def manifest_name_in_main():
    return tricked(lambda m: m.replace(b"\r\n\r\nName: c", b"\r\nName: c", 1))


@case
def manifest_lone_carriage_return():
    return tricked(lambda m: m.replace(b"Created-By: a test", b"Created-By: a\rName: evil"))


@case
def manifest_nul():
    return tricked(lambda m: m.replace(b"a test", b"a\0test"))


@case
def manifest_empty_lines():
    return tricked(lambda m: m.replace(b"\r\n\r\nName: b", b"\r\n\r\n\r\nName: b"))


@case
def manifest_last_line_open():
    return tricked(lambda m: m[:-4])


@case
def manifest_no_version():
    return tricked(lambda m: m.replace(b"Manifest-Version: 1.0\r\n", b""))


@case
def manifest_magic():
    return tricked(lambda m: m.replace(b"Created-By", b"Magic: evil\r\nCreated-By"))


@case
def manifest_long_line():
    return tricked(lambda m: m.replace(b"a test", b"a" * 600))


@case
def manifest_no_colon():
    return tricked(lambda m: m.replace(b"Created-By: ", b"Created-By "))


@case
def second_manifest():
    return signed(entries=entries_of(FILES) + [Entry("META-INF/MANIFEST.MF", manifest_of([("b.bin", b"evil")]), 8)])


@case
def second_manifest_in_small_letters():
    return signed(entries=entries_of(FILES) + [Entry("META-INF/manifest.mf", manifest_of([("b.bin", b"evil")]), 8)])


@case
def meta_inf_in_small_letters():
    return archive([Entry(e.name.lower(), e.data, e.method) for e in meta(manifest_of(FILES))] + entries_of(FILES))


# ---- names ----

@case
def name_twice():
    return signed(entries=entries_of(FILES) + [Entry("b.bin", b"evil")])


@case
def name_twice_other_first():
    return signed(entries=[Entry("b.bin", b"evil")] + entries_of(FILES))


@case
def name_twice_by_case():
    return signed(FILES + [("B.BIN", b"evil", 0)])


@case
def name_twice_by_case_beyond_ascii():
    return signed(FILES + [("\u00c4pfel/\u00d1", b"good", 0), ("\u00e4pfel/\u00f1", b"evil", 0)])


@case
def name_file_and_folder():
    return signed(FILES + [("conf", b"evil", 0)])


@case
def name_file_and_empty_folder():
    return signed(entries=entries_of(FILES) + [Entry("b.bin/", b"", attributes=0o40755 << 16 | 16)])


@case
def name_goes_up():
    return named("../evil")


@case
def name_goes_up_inside():
    return named("conf/../../evil")


@case
def name_absolute():
    return named("/etc/evil")


@case
def name_of_a_drive():
    return named("C:evil")


@case
def name_backslash():
    return named("..\\evil")


@case
def name_dot():
    return named("conf/./evil")


@case
def name_empty_part():
    return named("conf//evil")


@case
def name_nul():
    return archive(meta(manifest_of(FILES)) + entries_of(FILES) + [Entry(b"good.txt\0evil", b"evil")])


@case
def name_line_end():
    return signed(entries=entries_of(FILES) + [Entry(b"evil\nName: good", b"evil")])


@case
def name_empty():
    return signed(entries=entries_of(FILES) + [Entry(b"", b"evil")])


@case
def name_not_utf8():
    return named(b"\xffevil", flags=UTF8)


@case
def name_overlong_utf8():
    return named(b"..\xc0\xafevil", flags=UTF8)


@case
def name_not_marked_utf8():
    return named("\u00fcbel", flags=0)


@case
def name_with_a_version():
    """unzip leaves it out"""
    return named("conf/evil;12")


# ---- kinds ----

@case
def symbolic_link():
    return signed(FILES + [("evil", b"/etc/passwd", 0)], entries_of(FILES) + [Entry("evil", b"/etc/passwd", attributes=0o120777 << 16)])


@case
def symbolic_link_instead_of_file():
    return odd_entry(attributes=0o120777 << 16)


@case
def symbolic_link_by_asi_field():
    fields = struct.pack("<HIHH", 0o120777, 11, 0, 0) + b"/etc/passwd"
    return odd_entry(extra=struct.pack("<HHI", 0x756e, 4 + len(fields), zlib.crc32(fields)) + fields)


@case
def symbolic_link_by_unix_field():
    return odd_entry(extra=struct.pack("<HHIIHH", 0x000d, 12 + 11, 0, 0, 0, 0) + b"/etc/passwd")


@case
def device():
    return odd_entry(attributes=0o20666 << 16)


@case
def marked_as_folder():
    return odd_entry(attributes=0o40755 << 16)


@case
def marked_as_folder_of_dos():
    return odd_entry(attributes=0o100644 << 16 | 0x10)


@case
def marked_as_label_of_dos():
    return odd_entry(attributes=0x08, made=20)


@case
def set_user_id():
    return odd_entry(attributes=0o104755 << 16)


@case
def set_group_id():
    return odd_entry(attributes=0o102755 << 16)


@case
def set_user_id_though_made_by_dos():
    return odd_entry(attributes=0o104755 << 16, made=20)


@case
def sticky():
    return odd_entry(attributes=0o101755 << 16)


@case
def writable_by_everybody():
    return odd_entry(attributes=0o100666 << 16)


@case
def folder_writable_by_everybody():
    return signed(entries=[Entry("conf/", b"", attributes=0o40777 << 16 | 16)] + entries_of(FILES))


@case
def made_by_amiga():
    """whose mode is somewhere else in the same bits: unzip takes 0644 for 0222"""
    return odd_entry(made=1 << 8 | 20)


@case
def made_by_theos():
    return odd_entry(made=18 << 8 | 20)


@case
def version_needed():
    return odd_entry(needed=63)


@case
def version_needed_of_vms():
    return odd_entry(needed=2 << 8 | 45)


@case
def version_needed_in_local_header():
    return odd_entry(local={"needed": 63})


def with_field(identifier, value, local_only=False):
    odd = {"extra": struct.pack("<HH", identifier, len(value)) + value}
    return odd_entry(local=odd) if local_only else odd_entry(**odd)


@case
def owner():
    return with_field(0x7875, struct.pack("<BBIBI", 1, 4, 1234, 4, 1234))


@case
def owner_in_local_header():
    return with_field(0x7875, struct.pack("<BBIBI", 1, 4, 1234, 4, 1234), True)


@case
def owner_of_16_bits():
    return with_field(0x7855, struct.pack("<HH", 1234, 1234), True)


@case
def owner_beside_times():
    return with_field(0x5855, struct.pack("<IIHH", 1600000000, 1600000000, 1234, 1234), True)


@case
def owner_and_mode_by_asi_field():
    fields = struct.pack("<HIHH", 0o104755, 0, 1234, 1234)
    return with_field(0x756e, struct.pack("<I", zlib.crc32(fields)) + fields)


@case
def attributes_by_field_of_libarchive():
    """which says in a local header what stands in central records, a kind of file among it"""
    return with_field(0x6c78, b"\7" + struct.pack("<HHI", 3 << 8 | 20, 0, 0o120777 << 16), True)


@case
def unknown_field():
    return with_field(0x4242, b"who knows")


@case
def jar_magic_with_more():
    return with_field(0xcafe, b"more")


@case
def proper_fields():
    """what common writers write"""
    fields = [(0x5455, b"\3" + bytes(8)), (0x000a, struct.pack("<IHH", 0, 1, 24) + bytes(24)), (0x5855, bytes(8)), (0x7855, b""), (0xcafe, b""),
              (0xa11e, b"\4" + bytes(5)), (0xd935, b"\4" + bytes(5)), (0xa220, struct.pack("<HH", 0xa028, 64) + bytes(64)),
              (0x7075, b"\1" + struct.pack("<I", zlib.crc32(b"b.bin")) + b"b.bin")]
    return odd_entry(extra=b"".join(struct.pack("<HH", i, len(v)) + v for i, v in fields))


@case
def encrypted_entry():
    return odd_entry(flags=1)


@case
def unknown_flags():
    return odd_entry(flags=1 << 5)


@case
def unknown_method():
    return odd_entry(local={"method": 12}, central={"method": 12})


# ---- two headers ----

@case
def local_name():
    return odd_entry(local={"name": b"e.bin"})


@case
def local_name_longer():
    return odd_entry(local={"name": b"b.bin.sh"})


@case
def local_size():
    return odd_deflated(local={"size": 7})


@case
def local_compressed_size():
    return odd_entry(local={"packed_size": 100})


@case
def local_checksum():
    return odd_entry(local={"crc": 0x12345678})


@case
def local_method():
    return odd_entry(local={"method": 8})


@case
def local_flags():
    return odd_entry(local={"flags": UTF8})


@case
def local_zip64_size():
    return odd_entry(local={"size": 0xffffffff, "packed_size": 0xffffffff, "extra": struct.pack("<HHQQ", 1, 16, 7, 256)})


@case
def local_zip64_too_much():
    return odd_entry(local={"extra": struct.pack("<HHQQ", 1, 16, 7, 256)})


@case
def local_zip64_of_one_size():
    return odd_deflated(local={"packed_size": 0xffffffff, "extra": struct.pack("<HHQ", 1, 8, len(Entry(*FILES[0]).packed))})


@case
def local_zip64_for_nothing():
    return odd_entry(local={"extra": struct.pack("<HH", 1, 0)})


@case
def unicode_path():
    raw = b"evil.sh"
    return odd_entry(extra=struct.pack("<HHBI", 0x7075, 5 + len(raw), 1, zlib.crc32(b"b.bin")) + raw)


@case
def padding_hides_bytes():
    return odd_entry(local={"extra": struct.pack("<HHH", 0xa11e, 2 + 12, 1) + b"\0" * 5 + b"hidden\0"})


@case
def extra_field_too_long():
    return odd_entry(extra=struct.pack("<HH", 0x5455, 200))


@case
def local_header_elsewhere():
    return odd_entry(offset=3)


@case
def entries_overlap():
    shared = Entry("evil.txt", FILES[1][1])
    everything = meta(manifest_of(FILES)) + entries_of(FILES)
    offset = sum(len(e.local()) for e in everything[:-1])
    return archive(everything + [Entry("b2.bin", b"", offset=offset, central={"name": b"b2.bin", "size": 256, "packed_size": 256, "crc": shared.crc})])


# ---- bytes that belong to nothing ----

@case
def bytes_before():
    return signed(prefix=b"#!/bin/sh\necho evil\n")


@case
def bytes_before_not_counted():
    return signed(prefix=b"#!/bin/sh\necho evil\n", shift=0)


@case
def bytes_between_entries():
    return odd_deflated(after=b"evil evil")


@case
def bytes_before_the_directory():
    return signed(before_directory=b"APK Sig Block 42" * 2)


@case
def entry_in_no_directory():
    hidden = Entry("evil.txt", b"evil")
    return signed(entries=entries_of(FILES) + [hidden], local_only=[hidden])


@case
def bytes_after_the_directory():
    return signed(after_directory=b"evil")


@case
def bytes_at_the_end():
    return signed(tail=b"evil")


@case
def end_in_the_comment():
    entries = entries_of([("evil.txt", b"evil", 0)])
    return signed(comment=archive(entries))


@case
def end_in_the_comment_of_an_entry():
    return odd_entry(comment=end_record(0, 0, 0, b"x" * 22)[:22])


@case
def end_across_the_comment():
    """its first bytes are the length of the comment: Python searches backwards and takes it, with another directory"""
    evil = Entry("evil.txt", b"evil")
    inner = archive([evil])[:-22]
    fake = b"\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(evil.central(0)), 0, 0)
    return signed(comment=(fake + inner).ljust(0x4b50, b"x"))


@case
def record_in_the_comment():
    return signed(comment=b"a comment with a PK\1\2 in it")


@case
def behind_deflated_data():
    name, data, method = FILES[0]
    return odd_deflated(packed=Entry(name, data, method).packed + b"evil evil")


@case
def too_few_in_the_end_record():
    return signed(count=4)


@case
def too_many_in_the_end_record():
    return signed(count=6)


@case
def stored_with_descriptor():
    name, data, _ = FILES[1]
    return odd_entry(flags=DESCRIPTOR, local={"crc": 0, "size": 0, "packed_size": 0},
                     after=struct.pack("<4sIII", b"PK\7\10", zlib.crc32(data), len(data), len(data)))


@case
def descriptor_differs():
    name, data, _ = FILES[0]
    return odd_deflated(flags=DESCRIPTOR, local={"crc": 0, "size": 0, "packed_size": 0},
                        after=struct.pack("<4sIII", b"PK\7\10", zlib.crc32(data), 7, len(data)))


def described(data, zip64, width, signature=b"PK\7\10", **odd):
    """a file, followed by a data descriptor"""
    packed = Entry("", data, 8).packed
    local = {"crc": 0, "size": 0, "packed_size": 0}
    if zip64:
        local.update(size=0xffffffff, packed_size=0xffffffff, extra=struct.pack("<HHQQ", 1, 16, 0, 0))
    files = FILES + [("described", data, 8), ("behind it", b"x", 0)]
    after = signature + struct.pack("<I", zlib.crc32(data)) + struct.pack("<QQ" if width == 8 else "<II", len(packed), len(data))
    return signed(files, entries_of(FILES) + [Entry("described", data, 8, flags=DESCRIPTOR, local=local, after=after, **odd), Entry(*files[-1])])


@case
def proper_descriptor():
    return described(b"text", False, 4)


@case
def proper_descriptor_behind_nothing():
    """as Java writes empty files and folders"""
    return described(b"", False, 4)


@case
def proper_descriptor_without_signature():
    return described(b"text", False, 4, b"")


@case
def proper_descriptor_of_64_bits():
    return described(b"text", True, 8)


@case
def descriptor_of_64_bits():
    return described(b"text", False, 8)


@case
def descriptor_of_64_bits_without_signature():
    return described(b"text", False, 8, b"")


@case
def descriptor_of_64_bits_behind_nothing():
    return described(b"", False, 8)


@case
def descriptor_of_64_bits_behind_nothing_with_zip64():
    return described(b"", True, 8)


@case
def descriptor_of_32_bits_with_zip64():
    return described(b"text", True, 4)


@case
def descriptor_of_32_bits_with_zip64_behind_nothing():
    return described(b"", True, 4, b"")


@case
def descriptor_whose_checksum_is_a_signature():
    """without one of its own; the last bytes of the text are chosen so"""
    return described(forged(b"text ", 0x08074b50), False, 4, b"")


def forged(text, wanted):
    """four bytes more, so that the CRC-32 is what is wanted"""
    register, table = wanted ^ 0xffffffff, [zlib.crc32(bytes([i ^ 0xff]), 0) ^ 0xffffffff ^ 0xffffff for i in range(256)]
    for _ in range(4):
        i = next(j for j in range(256) if table[j] >> 24 == register >> 24)
        register = (register ^ table[i]) << 8 & 0xffffffff | i
    register ^= zlib.crc32(text) ^ 0xffffffff
    return text + struct.pack("<I", register)


@case
def descriptor_too_long():
    name, data, method = FILES[0]
    packed = Entry(name, data, method).packed
    return odd_deflated(flags=DESCRIPTOR, local={"crc": 0, "size": 0, "packed_size": 0},
                        after=struct.pack("<4sIII", b"PK\7\10", zlib.crc32(data), len(packed), len(data)) + b"evil evil evil")


@case
def descriptor_absent():
    return odd_deflated(flags=DESCRIPTOR, local={"crc": 0, "size": 0, "packed_size": 0})


def with_end64(change, needed=45):
    whole = signed()
    body, end = whole[:-22], whole[-22:]
    _, _, _, count, _, size, offset, _ = struct.unpack("<4sHHHHIIH", end)
    fields = change({"count": count, "size": size, "offset": offset, "at": len(body), "record": 44})
    big = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", fields["record"], 45, needed, 0, 0, fields["count"], fields["count"], fields["size"],
                      fields["offset"])
    return body + big + struct.pack("<4sIQI", b"PK\6\7", 0, fields["at"], 1) + end


@case
def end64_disagrees():
    return with_end64(lambda f: dict(f, count=f["count"] - 1))


@case
def end64_elsewhere():
    return with_end64(lambda f: dict(f, at=0))


@case
def end64_with_more():
    return with_end64(lambda f: dict(f, record=60))


@case
def end64_needs_more():
    return with_end64(dict, needed=63)


@case
def end64_absent():
    whole = signed()
    return whole[:-22] + end_record(0xffff, 0xffffffff, 0xffffffff)


@case
def cut_off():
    return signed()[:-1]


# ---- bombs ----

@case
def bomb_ratio():
    files = FILES + [("bomb", bytes(20 << 20), 8)]
    return signed(files)


@case
def bomb_total():
    return odd_deflated(size=0xfffffff0)


@case
def bomb_says_little():
    return odd_deflated(size=100)


@case
def bomb_says_much():
    name, data, _ = FILES[0]
    return odd_deflated(size=len(data) + 1)


@case
def deflated_data_broken():
    return odd_deflated(packed=b"\xff" * 50)


@case
def deflated_data_cut_off():
    name, data, method = FILES[0]
    return odd_deflated(packed=Entry(name, data, method).packed[:-3])


@case
def checksum_wrong():
    return odd_entry(crc=0x12345678)


# ---- signers ----

def by(name):
    manifest = manifest_of(FILES)
    return archive(meta(manifest, signer=name) + entries_of(FILES))


@case
def signer_untrusted():
    return by("stranger")


@case
def signer_self_signed():
    return by("self")


@case
def signer_expired():
    return by("expired")


@case
def signer_not_yet_valid():
    return by("early")


@case
def signer_for_encryption():
    return by("encrypts")


@case
def signer_usage_not_critical():
    return by("lax")


# ---- folders ----

FOLDER = {"attributes": 0o40755 << 16 | 16}


@case
def proper_folders():
    """an empty one that is signed, and some that hold something"""
    files = FILES + [("empty/", b"", 0)]
    return signed(files, [Entry("conf/", b"", **FOLDER), Entry("META-INF/", b"", **FOLDER)] + entries_of(FILES) + [Entry("empty/", b"", **FOLDER)])


@case
def folder_added():
    return signed(entries=entries_of(FILES) + [Entry("empty/", b"", **FOLDER)])


@case
def folder_added_below():
    return signed(entries=entries_of(FILES) + [Entry("conf/empty/", b"", **FOLDER)])


@case
def folder_removed():
    return signed(FILES + [("empty/", b"", 0)], entries_of(FILES))


@case
def folder_emptied():
    """what was in it is gone, from the manifest too"""
    return signed(FILES[1:], [Entry("conf/", b"", **FOLDER)] + entries_of(FILES[1:]))


# ---- names that are the same to others ----

def both(*names):
    files = FILES + [(name, b"text", 0) for name in names]
    return signed(files)


@case
def proper_names_beyond_ascii():
    return both("gr\u00fc\u00dfe", "gru\u0308n", "\u65e5\u672c\u8a9e", "\u0130")


@case
def name_twice_by_composition():
    return both("gr\u00fcn", "gru\u0308n")


@case
def name_twice_by_order_of_marks():
    return both("a\u0323\u0302", "a\u0302\u0323")


@case
def name_twice_by_full_case():
    return both("STRASSE", "stra\u00dfe")


@case
def name_twice_by_case_and_composition():
    return both("GR\u00dcN", "gru\u0308n")


@case
def name_twice_by_final_sigma():
    return both("\u03a3\u03c3", "\u03c3\u03c2")


@case
def name_twice_by_width():
    return both("evil.xml", "\uff45vil.xml")


@case
def name_twice_by_ligature():
    return both("file", "\ufb01le")


@case
def name_twice_by_kelvin():
    return both("k", "\u212a")


@case
def name_twice_by_letter_of_mathematics():
    """decomposed it is a capital one, which has no case before"""
    return both("\U0001d6a8", "\u03b1")


@case
def name_twice_by_nothing():
    """a character that has no width"""
    return both("evil.xml", "ev\u200bil.xml")


@case
def name_twice_by_variation():
    return both("a", "a\ufe0f")


@case
def name_twice_by_hangul():
    return both("\uac00", "\u1100\u1161")


@case
def name_file_and_folder_by_composition():
    return both("gr\u00fcn", "gru\u0308n/file")


# ---- time stamps; cases that begin with "proper" are good ----

THEN = "20200601000000Z"  # when `expired` was valid


def stamp(authority="tsa", time=THEN, *options, **how):
    """makes a token for the bytes of a signature"""
    names = {name: how.pop(name) for name in ("certificates", "md") if name in how}
    return lambda signature: stamps.token(stamps.info(signature, time, **how), authority, *options, **names)


def flipped(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def stamped(*tokens, signer="expired"):
    manifest = manifest_of(FILES)
    cms = block(signature_file(manifest), signer)
    return archive(meta(manifest, signature=stamps.stamped(cms, *(make(stamps.signature_bytes(cms)) for make in tokens))) + entries_of(FILES))


@case
def proper_stamped():
    """its signer has expired since"""
    return stamped(stamp())


@case
def proper_stamped_in_parts_of_a_second():
    return stamped(stamp(time="20200601000000.25Z"))


@case
def proper_stamped_by_pss():
    return stamped(stamp("tsa-rsa", THEN, "-cades", "-keyopt", "rsa_padding_mode:pss"))


@case
def stamp_of_another_signature():
    return stamped(lambda _: stamp()(stamps.signature_bytes(block(b"something else", "expired"))))


@case
def stamp_of_another_signature_though_valid():
    return stamped(lambda _: stamp()(stamps.signature_bytes(block(b"something else", "one"))), signer="one")


@case
def stamp_over_the_signature_file():
    return stamped(lambda _: stamp()(signature_file(manifest_of(FILES))))


@case
def stamp_time_changed():
    return stamped(lambda s: stamp(time="20230601000000Z")(s).replace(b"20230601000000Z", THEN.encode()))


@case
def stamp_imprint_changed():
    other = stamps.signature_bytes(block(b"something else", "expired"))
    return stamped(lambda s: stamp()(other).replace(hashlib.sha256(other).digest(), hashlib.sha256(s).digest()))


@case
def stamp_imprint_cut_off():
    return stamped(stamp(keep=16))


@case
def stamp_signature_changed():
    return stamped(lambda s: flipped(stamp()(s)))


@case
def stamp_signature_changed_though_valid():
    return stamped(lambda s: flipped(stamp()(s)), signer="one")


@case
def stamp_bad_beside_a_good_one():
    return stamped(stamp(), lambda s: flipped(stamp()(s)))


@case
def stamp_cut_off():
    return stamped(lambda s: stamps.der(0x30, stamp()(s)[4:-40]))


@case
def stamp_no_cms():
    return stamped(lambda s: stamps.info(s, THEN))


@case
def stamp_no_sequence():
    return stamped(lambda s: stamps.der(4, stamp()(s)))


@case
def stamp_no_tstinfo():
    return stamped(lambda s: stamps.token(b"some data", "tsa"))


@case
def stamp_tstinfo_with_more():
    return stamped(lambda s: stamps.token(stamps.info(s, THEN) + stamps.info(s, "20220101000000Z"), "tsa"))


@case
def stamp_time_unreadable():
    return stamped(stamp(time="20201301000000Z"))


@case
def stamp_version_2():
    return stamped(stamp(version=2))


@case
def stamp_is_data():
    """what it holds is a TSTInfo, and is not said to be one"""
    return stamped(lambda s: subprocess.run(["openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-cades", "-signer", "tsa.pem", "-inkey", "tsa.key"],
                                            input=stamps.info(s, THEN), capture_output=True, check=True).stdout)


@case
def stamp_twice():
    return stamped(stamp(), stamp())


@case
def stamp_twice_in_one_attribute():
    """and they disagree"""
    return stamped(lambda s: stamp()(s) + stamp(time="20220101000000Z")(s))


@case
def stamp_names_no_certificate():
    return stamped(stamp("tsa", THEN, "-binary"))


@case
def stamp_certificate_exchanged():
    """that of an authority that has expired for one with the same key"""
    return stamped(stamp("tsa-old", THEN, "-cades", "-keyid", "-nocerts", certificates="tsa-new"))


@case
def stamp_without_certificate():
    return stamped(stamp("tsa", THEN, "-cades", "-nocerts"))


@case
def stamp_after_expiry():
    return stamped(stamp(time="20220601000000Z"))


@case
def stamp_before_validity():
    return stamped(stamp(time="20200601000000Z"), signer="early")


@case
def stamp_from_tomorrow():
    return stamped(stamp(time="21000101000000Z"))


@case
def stamp_before_its_authority():
    return stamped(stamp(time="20190601000000Z"), signer="older")


@case
def stamp_after_its_authority():
    return stamped(stamp("tsa-old", time="20220101000000Z"), signer="one")


@case
def stamp_by_expired_authority():
    return stamped(stamp("tsa-old"))


@case
def stamp_by_stranger():
    return stamped(stamp("tsa-stranger"))


@case
def stamp_by_itself():
    return stamped(stamp("tsa-self"))


@case
def stamp_by_no_authority():
    return stamped(stamp("one"))


@case
def stamp_by_its_signer():
    return stamped(stamp("expired"))


@case
def stamp_usage_not_critical():
    return stamped(stamp("tsa-lax"))


@case
def stamp_usage_among_others():
    return stamped(stamp("tsa-more"))


@case
def stamp_weak_imprint():
    return stamped(stamp(digest=("sha1", stamps.SHA1)))


@case
def stamp_weak_signature():
    return stamped(stamp(md="sha1"))


@case
def stamp_with_critical_extension():
    extension = stamps.der(0x30, stamps.der(6, b"\x2a\x03\x05"), b"\1\1\xff", stamps.der(4, b"\5\0"))
    return stamped(stamp(more=stamps.der(0xa1, extension)))


if __name__ == "__main__":
    for name, make in CASES.items():
        with open(os.path.join(sys.argv[1], name + ".zip"), "wb") as out:
            out.write(make())
