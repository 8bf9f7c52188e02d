# SPDX-License-Identifier: Apache-2.0
"""Sign and encrypt with keys that an engineSignEncrypt.xml names: libsignengine by ctypes.

    with Engine("engine.xml") as engine:
        signature = engine.sign("FileSigner", content)
        signer = engine.verify("FileSigner", content, signature)

A function or method is called as in C, without its "se_": se_zip_sign() is Engine.zip_sign(), se_history_append() is
History.append(), and what needs no engine is a function here. Members of C's option structs are keyword arguments; what
is not given has its default. The manual pages say what they do: man se_zip_sign.

Failures raise SignengineError, whose status says what can be done. A value of the wrong type is a TypeError: None stands
for nothing, and an empty bytes is a content. Streams are file objects or file descriptors. What a callback raises comes out of
the call that it was called by, except for those of `report` and `event`: sys.unraisablehook gets it.

Threads: as many as you like in one object; the interpreter's lock is not held meanwhile. close() waits for their calls.

Secrets: what the library returned is copied to a bytes, and wiped in the library. A bytes can't be wiped: it is yours. What
you pass as a bytearray is not copied.

Not here: se_source_fd() and se_sink_fd() as functions, for a file descriptor is a stream anyway; se_buf_free() and the closing
functions, which are close().
"""
from __future__ import annotations

import contextlib
import ctypes as C
import enum
import errno
import functools
import operator
import os
import threading
import weakref
from dataclasses import dataclass
from typing import Annotated, Any, Callable, Iterator, Mapping, Protocol, Self, Sequence, TypeAlias, TypedDict, TypeVar, Union, \
    Unpack, cast, get_args, get_type_hints

Data: TypeAlias = Union[bytes, bytearray, memoryview]
Path: TypeAlias = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
_T = TypeVar("_T")


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> Any: ...


Source: TypeAlias = Union[int, Readable]
Sink: TypeAlias = Union[int, Writable]

# ---- the libraries ----

_RESULTS: dict[str, Any] = {name: C.c_char_p for name in (
    "se_status_name", "se_version_state_name", "se_check_level_name", "se_zip_state_text", "se_event_name", "se_finding_name")}
_RESULTS.update(dict.fromkeys(("se_buf_free", "se_close", "se_verifier_close", "se_verifier_signer", "se_retry_pins", "se_access_close",
                               "se_history_close", "se_history_proof_free")), se_is_container=C.c_bool)


@functools.cache
def _load(name: str) -> C.CDLL:
    return C.CDLL(f"lib{name}.so.0", mode=os.RTLD_LOCAL | os.RTLD_NOW)


@functools.cache
def _function(name: str) -> Any:
    """An application that only signs loads neither database nor GMime."""
    if name.startswith(("se_history_", "se_finding_")):
        library = _load("signengine-history")
    else:
        library = _load("signengine-mail" if name.startswith("se_mail_") else "signengine")
    function = library[name]
    function.restype = _RESULTS.get(name, C.c_int)
    return function


# ---- enums: str() of one is the library's word for it ----

class _Enum(enum.IntEnum):
    @classmethod
    def _missing_(cls, value: object) -> Self:
        """What a newer library says."""
        if not isinstance(value, int):
            raise ValueError(f"{value!r} is no {cls.__name__}")
        member = int.__new__(cls, value)
        member._name_, member._value_ = f"UNKNOWN_{value}", value
        return member


def _word(function: str, value: int) -> str:
    return cast(bytes, _function(function)(C.c_int(value))).decode()


class Status(_Enum):
    OK, MEMORY, USAGE, CONFIG, NO_DESCRIPTOR, POLICY, KEY, STORE, ACCESS, UNAVAILABLE, FORMAT, REJECTED, IO, CANCELLED, CRYPTO = range(15)

    def __str__(self) -> str:
        return _word("se_status_name", self)


class VersionState(_Enum):
    CURRENT, OLDER, WAITS, ENDED, VERIFIES = range(5)

    def __str__(self) -> str:
        return _word("se_version_state_name", self)


class CheckLevel(_Enum):
    DATE, NOTE, WARNING, FAILURE = range(4)

    def __str__(self) -> str:
        return _word("se_check_level_name", self)


class Form(_Enum):
    DETACHED, ATTACHED, RAW, XML, XML_ENVELOPING, XML_DETACHED = range(6)


class Purpose(_Enum):
    DESCRIPTOR, MAIL, ZIP = range(3)


class Accept(_Enum):
    VERSIONS, CERTIFICATES, ISSUERS = range(3)


class Revocation(_Enum):
    UNCHECKED, GOOD, UNKNOWN = range(3)


class RevocationSource(_Enum):
    NOBODY, CRL, OCSP = range(3)


class JwsForm(_Enum):
    COMPACT, FLATTENED, GENERAL = range(3)


class ZipState(_Enum):
    SIGNED, SIGNATURE, FOLDER, UNSIGNED, NOT_COVERED, WEAK, CHANGED, EMPTY_FOLDER = range(8)

    def __str__(self) -> str:
        return _word("se_zip_state_text", self)


class EventKind(_Enum):
    (OPERATION, KEY_LOST, KEY_HEALED, KEY_RENEWED, FAILED_OVER, FAILED_BACK, KEY_SLOWED, RELOADED, RELOAD_REFUSED, VERSION_SWITCHED,
     VERSION_LATE) = range(11)

    def __str__(self) -> str:
        return _word("se_event_name", self)


class FindingKind(_Enum):
    UNSEALED, CHANGED, REMOVED, INSERTED, REORDERED, TRUNCATED, FOREIGN, SIGNATURE, KEY, VERSION, ROLLED_BACK = range(11)

    def __str__(self) -> str:
        return _word("se_finding_name", self)


class SignengineError(Exception):
    """status: what can be done about it. text: one line, without secrets. results: of a batch or a check, what came of each part;
    of zip_verify() a ZipReport, of History.verify() the findings; else None."""

    def __init__(self, status: Status, text: str, results: Any = None) -> None:
        super().__init__(text)
        self.status, self.text, self.results = status, text, results

    def __reduce__(self) -> Any:
        return type(self), (self.status, self.text, self.results)


# ---- structs: each is declared once, as a class whose members say how C has them ----

_STRUCTS: dict[str, Any] = {}  # by its name in C
_SHAPES: dict[type, tuple[Any, dict[str, tuple[str, _Kind]]]] = {}  # of a class: the struct, and its members


def _structure(name: str, *members: tuple[str, Any]) -> Any:
    _STRUCTS[name] = type(name, (C.Structure,), {"_fields_": list(members)})
    return _STRUCTS[name]


_Bytes = _structure("se_bytes", ("data", C.c_void_p), ("size", C.c_size_t))
_Buf = _structure("se_buf", ("data", C.c_void_p), ("size", C.c_size_t))
_Pair = _structure("se_pair", ("name", _Bytes), ("value", _Bytes))
_Error = _structure("se_error", ("status", C.c_int), ("line", C.c_int), ("file", C.c_char_p), ("text", C.c_char * 1000))
_READ = C.CFUNCTYPE(C.c_ssize_t, C.c_void_p, C.c_void_p, C.c_size_t, use_errno=True)
_WRITE = C.CFUNCTYPE(C.c_int, C.c_void_p, C.c_void_p, C.c_size_t, use_errno=True)
_Source = _structure("se_source", ("read", C.c_void_p), ("arg", C.c_void_p), ("total", C.c_uint64))
_Sink = _structure("se_sink", ("write", C.c_void_p), ("arg", C.c_void_p))
_Field = _structure("se_field", ("in", _Bytes), ("context", _Bytes), ("out", _Buf), ("status", C.c_int), ("kept", C.c_bool))
_Jws = _structure("se_jws", ("in", _Bytes), ("payload", _Bytes), ("out", _Buf), ("status", C.c_int), ("version", C.c_uint))
_Record = _structure("se_record", ("object", _Bytes), ("payload", _Bytes))
_EvidenceFile = _structure("se_evidence_file", ("name", C.c_char_p), ("in", C.POINTER(_Source)))
_Evidence = _structure("se_evidence", ("files", C.c_void_p), ("count", C.c_size_t), ("der", _Bytes), ("made", _Buf))
_RESULTS.update(se_source_fd=_Source, se_sink_fd=_Sink, se_verifier_certificate=_Bytes, se_verifier_key=_Bytes)


class _String(C.Structure):  # of an array of them
    _fields_ = [("value", C.c_char_p)]


class _Uint32(C.Structure):
    _fields_ = [("value", C.c_uint32)]


_PROGRESS = C.CFUNCTYPE(C.c_bool, C.c_void_p, C.c_uint64, C.c_uint64)
_TELL = C.CFUNCTYPE(None, C.c_void_p, C.c_void_p)  # of a struct
_TELL_ON = C.CFUNCTYPE(C.c_bool, C.c_void_p, C.c_void_p)  # of a struct; false: no more
_TELL_VERSION = C.CFUNCTYPE(None, C.c_void_p, C.c_uint)
_TELL_TEXTS = C.CFUNCTYPE(None, C.c_void_p, C.c_char_p, C.c_char_p, C.c_char_p)
_TELL_DIFFERENCE = C.CFUNCTYPE(None, C.c_void_p, C.c_char_p, C.c_char_p, C.c_char_p, C.c_char_p)
_TELL_SIGNATURE = C.CFUNCTYPE(None, C.c_void_p, C.c_char_p, C.c_void_p)


def _place(pointer: Any) -> Any:
    """What a pointer points to. ctypes' cast() would leave a circle of objects each time."""
    return C.c_void_p.from_buffer(pointer).value


def _copy(piece: Any) -> bytes:
    return C.string_at(piece.data, piece.size) if piece.size else b""


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


class _Kind:
    """How a member is written to a struct, and read from one. hidden: members behind it that no caller sees."""

    def __init__(self, ctype: Any, *hidden: tuple[str, Any]) -> None:
        self.ctype, self.hidden = ctype, hidden

    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        raise TypeError(f"{name} can't be given")

    def get(self, struct: Any, name: str) -> Any:
        return getattr(struct, name)


class _Number(_Kind):
    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        setattr(struct, name, _number(self.ctype, value).value)


class _Truth(_Kind):
    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"{name} is True or False, not {type(value).__name__}")
        setattr(struct, name, value)


class _Word(_Kind):
    def __init__(self, words: type[_Enum]) -> None:
        super().__init__(C.c_int)
        self._words = words

    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        setattr(struct, name, int(self._words(value)))

    def get(self, struct: Any, name: str) -> Any:
        return self._words(getattr(struct, name))


class _Text(_Kind):
    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        setattr(struct, name, call.text(value))

    def get(self, struct: Any, name: str) -> str:
        return _text(getattr(struct, name))


class _Maybe(_Text):
    def get(self, struct: Any, name: str) -> Any:
        return None if getattr(struct, name) is None else super().get(struct, name)


class _Place(_Kind):
    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        setattr(struct, name, call.path(value))


class _Blob(_Kind):
    """empty: whether an empty one differs from none; where it doesn't, it is a mistake that would ask for less than was meant."""

    def __init__(self, empty: bool = False) -> None:
        super().__init__(_Bytes)
        self._empty = empty

    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        setattr(struct, name, call.blob(value) if self._empty else call.full(value, name))

    def get(self, struct: Any, name: str) -> bytes:
        return _copy(getattr(struct, name))


class _Strings(_Kind):
    def __init__(self, count: str) -> None:
        super().__init__(C.c_void_p, (count, C.c_size_t))

    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        if isinstance(value, (str, bytes)):
            raise TypeError(f"{name} is a list of str, not {type(value).__name__}")
        place, rows = call.array(_String, len(value))
        for row, text in zip(rows, value):
            row.value = call.text(text)
        setattr(struct, name, place)
        setattr(struct, self.hidden[0][0], len(rows))

    def get(self, struct: Any, name: str) -> tuple[str, ...]:
        return tuple(_text(row.value) for row in _rows(_String, struct, name, self))


class _Pairs(_Kind):
    def __init__(self, count: str) -> None:
        super().__init__(C.c_void_p, (count, C.c_size_t))

    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        place, count = call.pairs(value)
        setattr(struct, name, place)
        setattr(struct, self.hidden[0][0], count)


class _Rows(_Kind):
    def __init__(self, row: type, count: str) -> None:
        super().__init__(C.c_void_p, (count, C.c_size_t))
        self._row = row

    def get(self, struct: Any, name: str) -> Any:
        return tuple(_read(self._row, row) for row in _rows(_SHAPES[self._row][0], struct, name, self))


class _Inline(_Kind):
    def __init__(self, row: type) -> None:
        super().__init__(_SHAPES[row][0])
        self._row = row

    def get(self, struct: Any, name: str) -> Any:
        return _read(self._row, getattr(struct, name))


class _Nested(_Kind):
    def __init__(self, params: type) -> None:
        super().__init__(C.c_void_p)
        self._params = params

    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        setattr(struct, name, C.addressof(call.params(self._params, value)))


class _Stream(_Kind):
    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        setattr(struct, name, C.addressof(call.sink(value)))


class _Watch(_Kind):
    def put(self, call: _Call, struct: Any, name: str, value: Any) -> None:
        if not callable(value):
            raise TypeError(f"{name} can't be called: {type(value).__name__}")
        setattr(struct, name, call.tell(_PROGRESS, lambda _, done, total: value(done, total) is not False))


def _rows(struct: Any, holder: Any, name: str, kind: _Kind) -> list[Any]:
    place, count = getattr(holder, name), getattr(holder, kind.hidden[0][0])
    return [struct.from_address(place + i * C.sizeof(struct)) for i in range(count)]


def _number(ctype: Any, value: Any) -> Any:
    """ctypes cuts what does not fit."""
    number = ctype(operator.index(value))
    if isinstance(value, bool) or number.value != operator.index(value):
        raise (TypeError if isinstance(value, bool) else OverflowError)(f"{value} is no number for {ctype.__name__}")
    return number


def _method(stream: Any, name: str) -> Any:
    method = getattr(stream, name, None)
    if not callable(method):
        raise TypeError(f"a file to {name}, or its descriptor, is needed, not {type(stream).__name__}")
    return method


def _declare(name: str, declared: type, *first: tuple[str, Any]) -> None:
    """The struct of a class, from its annotations. A name's last "_" is Python's need."""
    members, kinds = list(first), {}
    for member, hint in get_type_hints(declared, include_extras=True).items():
        kind = next((k for k in get_args(hint) if isinstance(k, _Kind)), None) or _Inline(hint)
        kinds[member] = (member.rstrip("_"), kind)
        members += [(member.rstrip("_"), kind.ctype), *kind.hidden]
    _SHAPES[declared] = (_structure(name, *members), kinds)


def _read(declared: type[_T], struct: Any) -> _T:
    return declared(**{member: kind.get(struct, name) for member, (name, kind) in _SHAPES[declared][1].items()})


def _read_at(declared: type[_T], place: int) -> _T:
    return _read(declared, _SHAPES[declared][0].from_address(place))


_SIZE = ("size", C.c_size_t)
Bool: TypeAlias = Annotated[bool, _Truth(C.c_bool)]
Int: TypeAlias = Annotated[int, _Number(C.c_int)]
Unsigned: TypeAlias = Annotated[int, _Number(C.c_uint)]
Long: TypeAlias = Annotated[int, _Number(C.c_uint64)]
Time: TypeAlias = Annotated[int, _Number(C.c_int64)]  # seconds since 1970; in members that end in _us microseconds
Text: TypeAlias = Annotated[str, _Text(C.c_char_p)]
MaybeText: TypeAlias = Annotated[Union[str, None], _Maybe(C.c_char_p)]
Place: TypeAlias = Annotated[Path, _Place(C.c_char_p)]
Blob: TypeAlias = Annotated[Data, _Blob()]
Context: TypeAlias = Annotated[Data, _Blob(empty=True)]
Bytes: TypeAlias = Annotated[bytes, _Blob()]
Progress: TypeAlias = Annotated[Callable[[int, int], object], _Watch(C.c_void_p, ("progress_arg", C.c_void_p))]


# ---- what is told ----

@dataclass(frozen=True)
class Report:
    error: Bool
    file: Text
    line: Int
    text: Text


@dataclass(frozen=True)
class CheckFinding:
    level: Annotated[CheckLevel, _Word(CheckLevel)]
    kind: Text
    subject: Text
    date: Time
    text: Text


@dataclass(frozen=True)
class CheckRow:
    descriptor: Text
    version: Unsigned
    key: Text
    store: Text
    algorithm: Text
    key_type: Text
    subject: Text
    not_after: Time
    days_left: Int
    mechanism: Text
    status: Annotated[Status, _Word(Status)]
    warning: Bool
    text: Text
    findings: Annotated[tuple[CheckFinding, ...], _Rows(CheckFinding, "finding_count")]
    state: Annotated[VersionState, _Word(VersionState)]
    from_: Time
    until: Time
    may_leave: Text


@dataclass(frozen=True)
class Signer:
    version: Unsigned
    algorithm: Annotated[str, _Text(C.c_char * 40)]
    subject: Annotated[str, _Text(C.c_char * 256)]
    issuer: Annotated[str, _Text(C.c_char * 256)]
    serial: Annotated[str, _Text(C.c_char * 64)]
    signing_time: Time
    not_after: Time
    address: Annotated[str, _Text(C.c_char * 320)]
    stamp_time: Time
    stamp_authority: Annotated[str, _Text(C.c_char * 256)]
    stamp_ignored: Annotated[str, _Text(C.c_char * 256)]
    key: Annotated[str, _Text(C.c_char * 256)]
    alias: Annotated[str, _Text(C.c_char * 256)]
    key_type: Annotated[str, _Text(C.c_char * 32)]
    digest: Annotated[str, _Text(C.c_char * 16)]
    stamp_accuracy_us: Time
    revocation: Annotated[Revocation, _Word(Revocation)]
    revocation_source: Annotated[RevocationSource, _Word(RevocationSource)]
    revocation_teller: Annotated[str, _Text(C.c_char * 256)]
    revocation_update: Time
    revocation_note: Annotated[str, _Text(C.c_char * 256)]


@dataclass(frozen=True)
class ZipEntry:
    name: Text
    size: Long
    state: Annotated[ZipState, _Word(ZipState)]
    good: Bool


@dataclass(frozen=True)
class EvidenceStamp:
    tree: Unsigned
    digest: Text
    time: Time
    accuracy_us: Time
    authority: Text
    not_after: Time


@dataclass(frozen=True)
class AccessWho:
    user: MaybeText
    group: MaybeText
    subject: MaybeText
    issuer: MaybeText
    san: MaybeText
    sha256: MaybeText


@dataclass(frozen=True)
class AccessWhat:
    descriptor: MaybeText
    version: Unsigned
    history: MaybeText


@dataclass(frozen=True)
class AccessRow:
    number: Unsigned
    line: Int
    name: MaybeText
    operations: Annotated[tuple[str, ...], _Strings("operation_count")]
    who: Annotated[tuple[AccessWho, ...], _Rows(AccessWho, "who_count")]
    what: Annotated[tuple[AccessWhat, ...], _Rows(AccessWhat, "what_count")]
    per_minute: Unsigned
    version: Unsigned


@dataclass(frozen=True)
class Event:
    kind: Annotated[EventKind, _Word(EventKind)]
    key: Text
    replica: Unsigned
    status: Annotated[Status, _Word(Status)]
    text: Text
    operation: Text
    descriptor: Text
    version: Unsigned
    bytes: Long
    duration_us: Long
    request_sent: Text
    request_answered: Text
    items: Long
    failed: Long
    digest: Text
    tag: Text
    sessions: Unsigned


@dataclass(frozen=True)
class HistoryChain:
    name: Text
    first: Long
    last: Long
    seals: Long
    damaged: Bool


@dataclass(frozen=True)
class HistorySeals:
    chain: Text
    descriptor: Text
    version: Unsigned
    first: Long
    last: Long
    vouched: Bool
    first_us: Time
    last_us: Time


@dataclass(frozen=True)
class HistoryAppended:
    first: Long
    count: Long
    repeated: Bool


@dataclass(frozen=True)
class HistoryFinding:
    kind: Annotated[FindingKind, _Word(FindingKind)]
    first: Long
    last: Long
    seal: Long
    text: Text


@dataclass(frozen=True)
class HistoryReport:
    first: Long
    entries: Long
    erased: Long
    seals: Long
    findings: Long
    pruned: Bool
    closed: Bool


@dataclass(frozen=True)
class HistoryEntry:
    seq: Long
    time_us: Time
    object: Bytes
    payload: Bytes
    salt: Bytes
    erased: Bool
    commitment: Bytes


class _Owned(_Blob):
    def __init__(self) -> None:
        super().__init__()
        self.ctype = _Buf


_declare("se_report", Report)
_declare("se_check_finding", CheckFinding)
_declare("se_check_row", CheckRow)
_declare("se_signer", Signer)
_declare("se_zip_entry", ZipEntry)
_declare("se_evidence_stamp", EvidenceStamp)
_declare("se_access_who", AccessWho)
_declare("se_access_what", AccessWhat)
_declare("se_access_row", AccessRow)
_declare("se_event", Event)
_declare("se_history_chain", HistoryChain)
_declare("se_history_seals", HistorySeals)
_declare("se_history_appended", HistoryAppended)
_declare("se_finding", HistoryFinding)
_declare("se_history_report", HistoryReport)
_declare("se_history_entry", HistoryEntry)


@dataclass(frozen=True)
class HistoryProof:
    chain: Annotated[str, _Text(C.c_char * 65)]
    seq: Long
    size: Long
    time_us: Time
    sealed_us: Time
    object: Annotated[bytes, _Owned()]
    payload: Annotated[bytes, _Owned()]
    erased: Bool
    signer: Signer
    fingerprint: Annotated[str, _Text(C.c_char * 65)]


@dataclass(frozen=True)
class Mail:
    signer: Signer
    passed: Bool
    opaque: Bool
    nested: Bool
    protect: Bool
    changed: Annotated[str, _Text(C.c_char * 256)]
    encrypted: Bool


_declare("se_history_proof", HistoryProof)
_declare("se_mail", Mail)


@dataclass(frozen=True)
class Property:
    item: str
    property: str
    value: str


@dataclass(frozen=True)
class Difference:
    item: str
    property: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Verified:
    """What was signed: work with that. leeway_used: of tokens, in seconds."""
    content: bytes
    signer: Signer
    leeway_used: int = 0


@dataclass(frozen=True)
class Field:
    """One of a batch. value: empty unless status is OK."""
    value: bytes
    status: Status
    kept: bool


@dataclass(frozen=True)
class Jws:
    """One of a batch. payload: empty, and signer: None unless status is OK."""
    payload: bytes
    status: Status
    version: int
    signer: Signer | None


@dataclass(frozen=True)
class ZipReport:
    signatures: tuple[tuple[str, Signer], ...]  # name of its file, and who made it
    entries: tuple[ZipEntry, ...]


# ---- what is asked ----

class RevocationParams(TypedDict, total=False):
    crls: Place
    max_age: Time
    required: Bool
    stamps_outlive_compromise: Bool
    ask_responders: Bool
    fetch_crls: Bool


_declare("se_revocation_params", RevocationParams, _SIZE)
RevocationLook: TypeAlias = Annotated[RevocationParams, _Nested(RevocationParams)]
Addresses: TypeAlias = Annotated[Sequence[str], _Strings("address_count")]
Audiences: TypeAlias = Annotated[Sequence[str], _Strings("audience_count")]


class Options(TypedDict, total=False):
    pin_key: Annotated[Path, _Place(C.c_char_p, ("event", C.c_void_p), ("event_arg", C.c_void_p))]
    trust_config: Place
    watch: Annotated[bool, _Truth(C.c_bool, ("follows", C.c_void_p))]
    config_revocation: RevocationLook


class CheckOptions(TypedDict, total=False):
    probe: Bool
    days: Int


class SignParams(TypedDict, total=False):
    version: Unsigned
    form: Annotated[Form, _Word(Form)]
    pem: Bool
    time: Time
    tsa: Text
    purpose: Annotated[Purpose, _Word(Purpose)]
    addresses: Addresses
    xml_id: Text
    xml_uri: Text
    xml_inclusive: Bool
    progress: Progress
    digest: Blob
    tag: Text
    begun: Time
    least: Unsigned
    at_any_time: Bool
    tsa_policy: Text


class VerifyParams(TypedDict, total=False):
    version: Annotated[int, _Number(C.c_uint, ("form", C.c_int), ("signature", _Bytes), ("later", C.c_void_p))]
    time: Time
    trust: Place
    accept: Annotated[Accept, _Word(Accept)]
    trust_tsa: Place
    purpose: Annotated[Purpose, _Word(Purpose)]
    addresses: Addresses
    xml_id: Text
    xml_uri: Annotated[str, _Text(C.c_char_p, ("content", C.c_void_p))]
    progress: Progress
    digest: Blob
    tag: Text
    revocation: RevocationLook


class ConfigVerifyParams(TypedDict, total=False):
    time: Time
    revocation: RevocationLook


class JwsSignParams(TypedDict, total=False):
    version: Unsigned
    form: Annotated[JwsForm, _Word(JwsForm)]
    detached: Bool
    unencoded: Bool
    certificates: Bool
    type: Text
    key_id: Text
    headers: Annotated[Mapping[str, str], _Pairs("header_count")]
    tag: Text


class JwsVerifyParams(TypedDict, total=False):
    version: Unsigned
    payload: Context
    any: Bool
    type: Text
    key_id: Text
    time: Annotated[int, _Number(C.c_int64, ("signer", C.c_void_p))]
    tag: Text
    revocation: RevocationLook


class JwtSignParams(TypedDict, total=False):
    version: Unsigned
    certificates: Bool
    type: Text
    key_id: Text
    issuer: Text
    subject: Text
    audiences: Audiences
    lifetime: Time
    not_before: Time
    make_id: Bool
    no_expiry: Bool
    tag: Text


class JwtVerifyParams(TypedDict, total=False):
    version: Unsigned
    type: Text
    key_id: Text
    issuer: Text
    subject: Text
    id: Text
    audiences: Audiences
    leeway: Unsigned
    no_expiry: Bool
    time: Annotated[int, _Number(C.c_int64, ("leeway_used", C.c_void_p), ("signer", C.c_void_p))]
    tag: Text
    revocation: RevocationLook


class JwksParams(TypedDict, total=False):
    version: Unsigned
    current: Bool


class FieldParams(TypedDict, total=False):
    version: Unsigned
    binary: Bool
    context: Context
    tag: Text
    at_any_time: Bool
    threads: Unsigned


class ContainerParams(TypedDict, total=False):
    version: Unsigned
    context: Context
    progress: Progress
    tag: Text
    at_any_time: Bool


class ZipSignParams(TypedDict, total=False):
    version: Unsigned
    time: Time
    keep: Bool
    signature_name: Text
    tsa: Text
    encrypt: Text
    encrypt_version: Unsigned
    context: Context
    threads: Unsigned
    max_entries: Long
    max_total: Long
    max_ratio: Long
    progress: Progress
    tag: Text
    at_any_time: Bool
    tsa_policy: Text


class ZipVerifyParams(TypedDict, total=False):
    time: Time
    trust: Place
    issuers: Bool
    trust_tsa: Place
    threads: Unsigned
    max_entries: Long
    max_total: Long
    max_ratio: Annotated[int, _Number(C.c_uint64, ("signature", C.c_void_p), ("entry", C.c_void_p), ("report_arg", C.c_void_p))]
    progress: Progress
    tag: Text
    version: Unsigned
    revocation: RevocationLook


class EvidenceVerifyParams(TypedDict, total=False):
    trust_tsa: Place
    time: Time
    revocation: RevocationLook
    partial: Bool


class EvidenceParams(TypedDict, total=False):
    tsa: Text
    tsa_policy: Text
    digest: Text


class Caller(TypedDict, total=False):
    uid: Annotated[int, _Number(C.c_uint32, ("gids", C.c_void_p), ("gid_count", C.c_size_t))]
    certificate: Blob
    issuer: Blob


class Use(TypedDict, total=False):
    operation: Text
    descriptor: Text
    version: Unsigned
    history: Text


class HistoryOptions(TypedDict, total=False):
    chain: Text
    descriptor: Text
    inspect: Bool
    progress: Progress
    dry_run: Bool


class HistoryAppendParams(TypedDict, total=False):
    idempotency_key: Text
    caller: Text


class HistoryVerifyOptions(TypedDict, total=False):
    head: Blob
    months: Unsigned
    threads: Unsigned


class HistoryRange(TypedDict, total=False):
    first: Long
    last: Long
    from_: Time
    to: Time
    object: Blob
    unverified: Bool


class MailSignParams(TypedDict, total=False):
    version: Unsigned
    time: Time
    sender: Text
    opaque: Bool
    protect: Bool
    again: Bool
    progress: Progress
    tag: Text
    at_any_time: Bool
    tsa: Text
    tsa_policy: Text


class MailVerifyParams(TypedDict, total=False):
    version: Unsigned
    time: Time
    sender: Text
    trust: Place
    trust_tsa: Place
    content: Annotated[Sink, _Stream(C.c_void_p)]
    header: Annotated[Sink, _Stream(C.c_void_p)]
    outside: Blob
    progress: Progress
    tag: Text
    revocation: RevocationLook


_declare("se_options", Options, _SIZE, ("report", C.c_void_p), ("report_arg", C.c_void_p))
_declare("se_check_options", CheckOptions, _SIZE)
_declare("se_sign_params", SignParams, _SIZE)
_declare("se_verify_params", VerifyParams, _SIZE)
_declare("se_config_verify_params", ConfigVerifyParams, _SIZE)
_declare("se_jws_sign_params", JwsSignParams, _SIZE)
_declare("se_jws_verify_params", JwsVerifyParams, _SIZE)
_declare("se_jwt_sign_params", JwtSignParams, _SIZE)
_declare("se_jwt_verify_params", JwtVerifyParams, _SIZE)
_declare("se_jwks_params", JwksParams, _SIZE)
_declare("se_field_params", FieldParams, _SIZE)
_declare("se_container_params", ContainerParams, _SIZE)
_declare("se_zip_sign_params", ZipSignParams, _SIZE)
_declare("se_zip_verify_params", ZipVerifyParams, _SIZE)
_declare("se_evidence_verify_params", EvidenceVerifyParams, _SIZE)
_declare("se_evidence_params", EvidenceParams, _SIZE)
_declare("se_caller", Caller, _SIZE, ("has_uid", C.c_bool))
_declare("se_use", Use, _SIZE)
_declare("se_history_options", HistoryOptions, _SIZE)
_declare("se_history_append_params", HistoryAppendParams, _SIZE)
_declare("se_history_verify_options", HistoryVerifyOptions, _SIZE, ("finding", C.c_void_p), ("finding_arg", C.c_void_p))
_declare("se_history_range", HistoryRange, _SIZE)
_declare("se_mail_sign_params", MailSignParams, _SIZE)
_declare("se_mail_verify_params", MailVerifyParams, _SIZE)


# ---- a call ----

def _argument(value: Any) -> Any:
    """An int is a place in memory; ctypes would take it for a C int."""
    return C.c_void_p(value) if isinstance(value, int) else value


class _Call:
    """What has to live until the library returns, and what a callback raised meanwhile."""

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._raised: list[BaseException] = []

    def run(self, name: str, *arguments: Any, results: Any = None) -> None:
        error = _Error()
        try:
            status = _function(name)(*map(_argument, arguments), C.byref(error))
        finally:
            self._kept.clear()
        if self._raised:
            raise self._raised.pop()
        if status:
            raise SignengineError(Status(status), _text(error.text), results)

    def keep(self, value: _T) -> _T:
        self._kept.append(value)
        return value

    def text(self, value: str) -> bytes:
        if not isinstance(value, str):
            raise TypeError(f"a str is needed, not {type(value).__name__}")
        return self._string(value.encode())

    def path(self, value: Path) -> bytes:
        return self._string(os.fsencode(value))

    def _string(self, value: bytes) -> bytes:
        if b"\0" in value:
            raise ValueError("a NUL in a string")
        return self.keep(value)

    def blob(self, value: Data) -> Any:
        """Never NULL, which would mean that there is none."""
        if isinstance(value, bytes):
            return _Bytes(_place(C.c_char_p(self.keep(value))), len(value))
        if isinstance(value, bytearray) and value:
            return _Bytes(C.addressof(self.keep(C.c_char.from_buffer(value))), len(value))
        if isinstance(value, (bytearray, memoryview)):
            return self.blob(bytes(value))
        raise TypeError(f"bytes are needed, not {type(value).__name__}")

    def full(self, value: Data, name: str) -> Any:
        blob = self.blob(value)
        if not blob.size:
            raise SignengineError(Status.FORMAT, f"{name} is empty")
        return blob

    def array(self, struct: Any, count: int) -> tuple[int, list[Any]]:
        """Not struct * count: ctypes would keep a type for each count."""
        memory = self.keep(bytearray(max(count, 1) * C.sizeof(struct)))
        rows = [self.keep(struct.from_buffer(memory, i * C.sizeof(struct))) for i in range(max(count, 1))]
        return C.addressof(rows[0]), rows[:count]

    def pairs(self, value: Mapping[str, str]) -> tuple[int, int]:
        place, rows = self.array(_Pair, len(value))
        for row, (name, text) in zip(rows, value.items()):
            row.name, row.value = self.blob(self.text(name)), self.blob(self.text(text))
        return place, len(rows)

    def params(self, declared: type, values: Mapping[str, Any]) -> Any:
        shape, kinds = _SHAPES[declared]
        struct = self.keep(shape())
        struct.size = C.sizeof(struct)
        for member, value in values.items():
            if member not in kinds:
                raise TypeError(f"unexpected keyword argument '{member}'")
            name, kind = kinds[member]
            kind.put(self, struct, name, value)
        return struct

    def tell(self, prototype: Any, function: Callable[..., Any]) -> Any:
        """A callback for this call. The first exception ends what can be ended and is raised by run()."""

        raised = self._raised  # not the object itself, which keeps this: a circle

        def guarded(*arguments: Any) -> Any:
            if not raised:
                try:
                    return function(*arguments)
                except BaseException as e:
                    raised.append(e)
            C.set_errno(errno.EIO)
            return -1 if prototype in (_READ, _WRITE) else False

        return _place(self.keep(prototype(guarded)))

    def tell_list(self, declared: type[_T], found: list[_T]) -> Any:
        return self.tell(_TELL, lambda _, place: found.append(_read_at(declared, place)))

    def tell_on(self, declared: type[_T], each: Callable[[_T], object]) -> Any:
        return self.tell(_TELL_ON, lambda _, place: each(_read_at(declared, place)) is not False)

    def source(self, value: Source) -> Any:
        if isinstance(value, int):
            return self.keep(_function("se_source_fd")(_number(C.c_int, value)))
        take: Any = _method(value, "read")

        def read(_: Any, place: int, size: int) -> int:
            piece = take(size)
            if not isinstance(piece, bytes) or len(piece) > size:
                raise TypeError(f"read({size}) gave {type(piece).__name__} and not bytes of that size at most")
            C.memmove(place, piece, len(piece))
            return len(piece)

        return self.keep(_Source(self.tell(_READ, read), None, 0))

    def sink(self, value: Sink) -> Any:
        if isinstance(value, int):
            return self.keep(_function("se_sink_fd")(_number(C.c_int, value)))
        give: Any = _method(value, "write")

        def write(_: Any, place: int, size: int) -> int:
            piece = C.string_at(place, size)
            while piece:
                count = give(piece)
                if not isinstance(count, int) or not 0 < count <= len(piece):
                    raise TypeError(f"write() of {len(piece)} bytes gave {count!r}")
                piece = piece[count:]
            return 0

        return self.keep(_Sink(self.tell(_WRITE, write), None))

    def evidence(self, row: Any, files: Sequence[Path | tuple[str, Source]], *record: Data) -> None:
        place, rows = self.array(_EvidenceFile, len(files))
        for file, given in zip(rows, files):
            if isinstance(given, tuple):
                file.name = self.text(given[0])
                setattr(file, "in", C.pointer(self.source(given[1])))
            else:
                file.name = self.path(given)
        row.files, row.count = place, len(rows)
        for der in record:
            row.der = self.full(der, "the record")


@contextlib.contextmanager
def _buffer() -> Iterator[Any]:
    buf = _Buf()
    try:
        yield buf
    finally:
        _function("se_buf_free")(C.byref(buf))


def _take(buf: Any) -> bytes:
    content = _copy(buf)
    _function("se_buf_free")(C.byref(buf))
    return content


# ---- what is closed ----

class _Handle:
    """A pointer of the library's and the threads that are in a call with it; it is released after the last of them.
    forks: whether the child of a fork may release it."""

    def __init__(self, pointer: Any, release: Callable[[Any], None], forks: bool = True) -> None:
        self._pointer, self._release, self._process = pointer, release, None if forks else os.getpid()
        self._threads: list[int] = []
        self._closed = False
        self._changed = threading.Condition()
        _HANDLES.add(self)

    def __enter__(self) -> Any:
        with self._changed:
            if self._closed:
                raise ValueError("it is closed")
            self._threads.append(threading.get_ident())
        return self._pointer

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._threads.remove(threading.get_ident())
            self._changed.notify_all()

    def wait(self) -> None:
        """Nobody begins a call any more, and all have ended."""
        with self._changed:
            if threading.get_ident() in self._threads:
                raise RuntimeError("close() inside a call of the same object")
            self._closed = True
            while self._threads:
                self._changed.wait()

    def release(self) -> None:
        if self._threads:  # a daemon thread, at the end of the process
            return
        if self._process in (None, os.getpid()):
            self._release(self._pointer)

    def begin_child(self) -> None:
        """The other threads are gone, and with them what they held."""
        self._changed = threading.Condition()
        self._threads = [thread for thread in self._threads if thread == threading.get_ident()]


_HANDLES: weakref.WeakSet[_Handle] = weakref.WeakSet()


def _begin_child() -> None:
    for handle in list(_HANDLES):
        handle.begin_child()


os.register_at_fork(after_in_child=_begin_child)


class _Closed:
    """What is used in a `with`, or closed, or collected."""

    def _own(self, pointer: Any, release: Callable[[Any], None], forks: bool = True) -> None:
        self._handle = _Handle(pointer, release, forks)
        self._finalizer = weakref.finalize(self, self._handle.release)

    def close(self) -> None:
        """Waits for the calls of other threads. May be called twice."""
        self._handle.wait()
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _release_by(name: str, kept: Any = None) -> Callable[[Any], None]:
    """kept: callbacks, that the library may call until then."""

    def release(pointer: Any) -> None:
        _function(name)(C.byref(pointer))
        if isinstance(kept, list):
            kept.clear()

    return release


class Verifier(_Closed):
    """Raw signatures of one certificate, any number of them."""

    def __init__(self, certificate: Data, algorithm: str) -> None:
        """certificate: DER or PEM. That of a descriptor: Engine.verifier_open()."""
        call, pointer = _Call(), C.c_void_p()
        call.run("se_verifier_read", C.byref(pointer), call.blob(certificate), call.text(algorithm))
        self._own(pointer, _release_by("se_verifier_close"))

    def signer(self) -> Signer:
        out = _SHAPES[Signer][0]()
        with self._handle as verifier:
            _function("se_verifier_signer")(C.byref(out), verifier)
        return _read(Signer, out)

    def certificate(self) -> bytes:
        with self._handle as verifier:
            return _copy(_function("se_verifier_certificate")(verifier))

    def key(self) -> bytes:
        with self._handle as verifier:
            return _copy(_function("se_verifier_key")(verifier))

    def check(self, content: Data, signature: Data) -> None:
        call = _Call()
        with self._handle as verifier:
            call.run("se_verifier_check", verifier, call.blob(content), call.full(signature, "the signature"))


class Access(_Closed):
    """Who may do what: Engine.access_open()."""

    def decide(self, operation: str, *, descriptor: str = "", version: int = 0, history: str = "", gids: Sequence[int] = (),
               **caller: Unpack[Caller]) -> AccessRow:
        """The row that allows it; a SignengineError with status ACCESS: none does."""
        call, out = _Call(), _SHAPES[AccessRow][0]()
        use: Use = {"operation": operation, "version": version}
        if descriptor:
            use["descriptor"] = descriptor
        if history:
            use["history"] = history
        with self._handle as access:
            call.run("se_access_decide", C.byref(out), access, C.byref(_caller(call, gids, caller)), C.byref(call.params(Use, use)))
            return _read(AccessRow, out)

    def list(self, *, gids: Sequence[int] = (), **caller: Unpack[Caller]) -> tuple[AccessRow, ...]:
        """The rows that name this caller; without arguments: all."""
        call = _Call()
        rows: Any = []
        who = C.byref(_caller(call, gids, caller)) if caller or gids else None
        with self._handle as access:
            call.run("se_access_list", access, who, call.tell_list(AccessRow, rows), None)
        return tuple(rows)


def _caller(call: _Call, gids: Sequence[int], caller: Caller) -> Any:
    struct = call.params(Caller, caller)
    struct.has_uid = "uid" in caller
    place, rows = call.array(_Uint32, len(gids))
    for row, gid in zip(rows, gids):
        row.value = _number(C.c_uint32, gid).value
    struct.gids, struct.gid_count = place, len(rows)
    return struct


class Engine(_Closed):
    def __init__(self, path: Path, *, report: Callable[[Report], object] | None = None, event: Callable[[Event], object] | None = None,
                 follows: Engine | None = None, **options: Unpack[Options]) -> None:
        """report, event: called for as long as the engine is open; event from any thread, and it must not use the engine."""
        call, pointer = _Call(), C.c_void_p()
        struct = call.params(Options, options)
        self._kept: list[Any] = []
        if report:
            struct.report = self._tell(Report, report)
        if event:
            struct.event = self._tell(Event, event)
        before: Any = follows._handle if follows else contextlib.nullcontext()
        with before as other:
            struct.follows = other
            call.run("se_open", C.byref(pointer), call.path(path), C.byref(struct))
        self._own(pointer, _release_by("se_close", self._kept))

    def _tell(self, declared: type[_T], function: Callable[[_T], object]) -> Any:
        def tell(_: Any, place: int) -> None:
            function(_read_at(declared, place))

        self._kept.append(_TELL(tell))
        return _place(self._kept[-1])

    def reload(self) -> None:
        with self._handle as engine:
            _Call().run("se_reload", engine)

    def _hold(self) -> Any:
        pointer = C.c_void_p()
        with self._handle as engine:
            _Call().run("se_hold", C.byref(pointer), engine)
        return pointer

    def hold(self) -> Engine:
        """The engine as it is now, whatever reload() does; it is closed by itself."""
        held = Engine.__new__(Engine)
        held._kept = list(self._kept)
        held._own(self._hold(), _release_by("se_close", held._kept))
        return held

    # ---- how calls look ----

    def _make(self, name: str, call: _Call, *arguments: Any) -> bytes:
        with _buffer() as out, self._handle as engine:
            call.run(name, C.byref(out), engine, *arguments)
            return _copy(out)

    def _find(self, declared: type[_T], name: str, call: _Call, *arguments: Any) -> _T:
        out = _SHAPES[declared][0]()
        with self._handle as engine:
            call.run(name, C.byref(out), engine, *arguments)
        return _read(declared, out)

    def _do(self, name: str, call: _Call, *arguments: Any, results: Any = None) -> None:
        with self._handle as engine:
            call.run(name, engine, *arguments, results=results)

    def _move(self, name: str, call: _Call, out: Any, *arguments: Any) -> None:
        with self._handle as engine:
            call.run(name, out, engine, *arguments)

    # ---- describe and check ----

    def fingerprint(self) -> str:
        out = C.create_string_buffer(65)
        self._move("se_fingerprint", _Call(), out)
        return out.value.decode()

    def describe(self) -> list[Property]:
        call = _Call()
        found: list[Property] = []
        self._do("se_describe", call, call.tell(_TELL_TEXTS, lambda _, *texts: found.append(Property(*map(_text, texts)))), None)
        return found

    def config_diff(self, after: Engine) -> list[Difference]:
        call = _Call()
        found: list[Difference] = []

        def tell(_: Any, item: bytes, name: bytes, *values: bytes | None) -> None:
            found.append(Difference(_text(item), _text(name), *(None if value is None else _text(value) for value in values)))

        with after._handle as other:
            self._do("se_config_diff", call, other, call.tell(_TELL_DIFFERENCE, tell), None)
        return found

    def check(self, **options: Unpack[CheckOptions]) -> list[CheckRow]:
        """Raises what the first descriptor that can't be used has; the error's `results` are all rows."""
        call = _Call()
        rows: list[CheckRow] = []
        tell = call.tell_list(CheckRow, rows)
        self._do("se_check", call, tell, None, C.byref(call.params(CheckOptions, options)), results=rows)
        return rows

    # ---- sign and verify ----

    def find_signer(self, descriptor: str, **params: Unpack[SignParams]) -> Signer:
        call = _Call()
        return self._find(Signer, "se_find_signer", call, call.text(descriptor), C.byref(call.params(SignParams, params)))

    def sign(self, descriptor: str, content: Data, **params: Unpack[SignParams]) -> bytes:
        call = _Call()
        struct = call.params(SignParams, params)
        return self._make("se_sign", call, call.text(descriptor), call.blob(content), C.byref(struct))

    def sign_stream(self, descriptor: str, content: Source, out: Sink, **params: Unpack[SignParams]) -> None:
        call = _Call()
        struct = call.params(SignParams, params)
        source, sink = call.source(content), call.sink(out)
        self._move("se_sign_stream", call, C.byref(sink), call.text(descriptor), C.byref(source), C.byref(struct))

    def sign_file(self, descriptor: str, content: Path, out: Path, **params: Unpack[SignParams]) -> None:
        call = _Call()
        struct = call.params(SignParams, params)
        self._move("se_sign_file", call, call.path(out), call.text(descriptor), call.path(content), C.byref(struct))

    def verify(self, descriptor: str, content: Data, signature: Data, *, form: Form = Form.DETACHED,
               **params: Unpack[VerifyParams]) -> Signer:
        """A signature that stands beside the content; one with the content inside: verify_attached()."""
        call = _Call()
        struct = _verifying(call, form, params)
        struct.signature = call.full(signature, "the signature")
        return self._find(Signer, "se_verify", call, call.text(descriptor), call.blob(content), C.byref(struct))

    def verify_stream(self, descriptor: str, content: Source, signature: Data | Source, *, form: Form = Form.DETACHED,
                      **params: Unpack[VerifyParams]) -> Signer:
        """signature: a stream is read once the content has come to its end."""
        call = _Call()
        struct, source = _verifying(call, form, params), call.source(content)
        if isinstance(signature, (bytes, bytearray, memoryview)):
            struct.signature = call.full(signature, "the signature")
        else:
            struct.later = C.addressof(call.source(signature))
        return self._find(Signer, "se_verify_stream", call, call.text(descriptor), C.byref(source), C.byref(struct))

    def verify_file(self, descriptor: str, content: Path, signature: Path, *, form: Form = Form.DETACHED,
                    **params: Unpack[VerifyParams]) -> Signer:
        call = _Call()
        struct = _verifying(call, form, params)
        return self._find(Signer, "se_verify_file", call, call.text(descriptor), call.path(content), call.path(signature), C.byref(struct))

    def verify_attached(self, descriptor: str, signed: Data, *, form: Form = Form.DETACHED, **params: Unpack[VerifyParams]) -> Verified:
        """A signature with the content inside: CMS, or, with one of the forms of XML, XML."""
        call = _Call()
        pieces: list[bytes] = []
        struct = _verifying(call, form, params)
        struct.content = C.addressof(_gather(call, pieces))
        signer = self._find(Signer, "se_verify", call, call.text(descriptor), call.blob(signed), C.byref(struct))
        return Verified(b"".join(pieces), signer)

    def verify_attached_stream(self, descriptor: str, signed: Source, content: Sink, *, form: Form = Form.DETACHED,
                               **params: Unpack[VerifyParams]) -> Signer:
        """content: not to be used before this returns."""
        call = _Call()
        struct, source = _verifying(call, form, params), call.source(signed)
        struct.content = C.addressof(call.sink(content))
        return self._find(Signer, "se_verify_stream", call, call.text(descriptor), C.byref(source), C.byref(struct))

    def verify_attached_file(self, descriptor: str, signed: Path, content: Sink, *, form: Form = Form.DETACHED,
                             **params: Unpack[VerifyParams]) -> Signer:
        call = _Call()
        struct = _verifying(call, form, params)
        struct.content = C.addressof(call.sink(content))
        return self._find(Signer, "se_verify_file", call, call.text(descriptor), call.path(signed), None, C.byref(struct))

    def verifier_open(self, descriptor: str, version: int = 0) -> Verifier:
        call, pointer = _Call(), C.c_void_p()
        self._move("se_verifier_open", call, C.byref(pointer), call.text(descriptor), _number(C.c_uint, version))
        verifier = Verifier.__new__(Verifier)
        verifier._own(pointer, _release_by("se_verifier_close"))
        return verifier

    def config_sign(self, descriptor: str, config: Data, *, version: int = 0, path: Path | None = None) -> bytes:
        call = _Call()
        place = None if path is None else call.path(path)
        return self._make("se_config_sign", call, call.text(descriptor), _number(C.c_uint, version), call.blob(config), place)

    # ---- JOSE ----

    def jws_sign(self, descriptor: str, payload: Data, **params: Unpack[JwsSignParams]) -> bytes:
        call = _Call()
        struct = call.params(JwsSignParams, params)
        return self._make("se_jws_sign", call, call.text(descriptor), call.blob(payload), C.byref(struct))

    def jws_verify(self, descriptor: str, jws: Data, **params: Unpack[JwsVerifyParams]) -> Verified:
        call, signer = _Call(), _SHAPES[Signer][0]()
        struct = call.params(JwsVerifyParams, params)
        struct.signer = C.addressof(signer)
        content = self._make("se_jws_verify", call, call.text(descriptor), call.blob(jws), C.byref(struct))
        return Verified(content, _read(Signer, signer))

    def jws_verify_many(self, descriptor: str, tokens: Sequence[Data], payloads: Sequence[Data] | None = None,
                        **params: Unpack[JwsVerifyParams]) -> list[Jws]:
        """payloads: of detached ones. Raises the first failure; the error's `results` are what this returns otherwise."""
        signers = (_SHAPES[Signer][0] * max(len(tokens), 1))()
        found = iter(signers)

        def read(row: Any) -> Jws:
            signer, status = next(found), Status(row.status)
            return Jws(_copy(row.out), status, row.version, None if status else _read(Signer, signer))

        return self._batch("se_jws_verify_many", _Jws, (tokens, "payload", payloads), descriptor, JwsVerifyParams, params, read, signers)

    def jwt_sign(self, descriptor: str, claims: Data = b"", **params: Unpack[JwtSignParams]) -> bytes:
        """claims: an object of JSON, or empty."""
        call = _Call()
        struct = call.params(JwtSignParams, params)
        return self._make("se_jwt_sign", call, call.text(descriptor), call.blob(claims), C.byref(struct))

    def jwt_verify(self, descriptor: str, token: Data, **params: Unpack[JwtVerifyParams]) -> Verified:
        call, signer, leeway = _Call(), _SHAPES[Signer][0](), C.c_uint()
        struct = call.params(JwtVerifyParams, params)
        struct.signer, struct.leeway_used = C.addressof(signer), C.addressof(leeway)
        content = self._make("se_jwt_verify", call, call.text(descriptor), call.blob(token), C.byref(struct))
        return Verified(content, _read(Signer, signer), leeway.value)

    def jwks(self, *descriptors: str, **params: Unpack[JwksParams]) -> bytes:
        call = _Call()
        struct = call.params(JwksParams, params)
        place, rows = call.array(_String, len(descriptors))
        for row, descriptor in zip(rows, descriptors):
            row.value = call.text(descriptor)
        return self._make("se_jwks", call, place, C.c_size_t(len(rows)), C.byref(struct))

    # ---- fields ----

    def encrypt(self, descriptor: str, content: Data, **params: Unpack[FieldParams]) -> bytes:
        call = _Call()
        struct = call.params(FieldParams, params)
        return self._make("se_encrypt", call, call.text(descriptor), call.blob(content), C.byref(struct))

    def decrypt(self, descriptor: str, value: Data, **params: Unpack[FieldParams]) -> bytes:
        call = _Call()
        struct = call.params(FieldParams, params)
        return self._make("se_decrypt", call, call.text(descriptor), call.blob(value), C.byref(struct))

    def encrypt_many(self, descriptor: str, contents: Sequence[Data], contexts: Sequence[Data] | None = None,
                     **params: Unpack[FieldParams]) -> list[bytes]:
        """Raises the first failure; the error's `results` are a Field for each, as of all batches."""
        return [field.value for field in self._fields("se_encrypt_many", descriptor, contents, contexts, params)]

    def decrypt_many(self, descriptor: str, values: Sequence[Data], contexts: Sequence[Data] | None = None,
                     **params: Unpack[FieldParams]) -> list[bytes]:
        return [field.value for field in self._fields("se_decrypt_many", descriptor, values, contexts, params)]

    def rekey_many(self, descriptor: str, values: Sequence[Data], contexts: Sequence[Data] | None = None,
                   **params: Unpack[FieldParams]) -> list[Field]:
        return self._fields("se_rekey_many", descriptor, values, contexts, params)

    def _fields(self, name: str, descriptor: str, values: Sequence[Data], contexts: Sequence[Data] | None, params: Any) -> list[Field]:
        return self._batch(name, _Field, (values, "context", contexts), descriptor, FieldParams, params,
                           lambda row: Field(_copy(row.out), Status(row.status), row.kept))

    def _batch(self, name: str, struct: Any, given: tuple[Sequence[Data], str, Sequence[Data] | None], descriptor: str, declared: type,
               params: Any, read: Callable[[Any], _T], signers: Any = None) -> list[_T]:
        values, beside, others = given
        if isinstance(values, (bytes, bytearray, memoryview, str)):
            raise TypeError(f"a list of bytes is needed, not {type(values).__name__}")
        if others is not None and len(others) != len(values):
            raise ValueError(f"{len(values)} values, and {len(others)} for them")
        call = _Call()
        results: list[_T] = []
        place, rows = call.array(struct, len(values))
        for i, row in enumerate(rows):
            setattr(row, "in", call.blob(values[i]))
            if others is not None:
                setattr(row, beside, call.blob(others[i]))
        options = call.params(declared, params)
        if signers is not None:
            options.signer = C.addressof(signers)
        word = call.text(descriptor)
        try:
            with self._handle as engine:
                call.run(name, place, C.c_size_t(len(rows)), engine, word, C.byref(options), results=results)
        finally:
            for row in rows:
                results.append(read(row))
                _function("se_buf_free")(C.byref(row.out))
        return results

    # ---- containers ----

    def container_encrypt_stream(self, descriptor: str, content: Source, out: Sink, **params: Unpack[ContainerParams]) -> None:
        self._contain("se_container_encrypt_stream", descriptor, content, out, params)

    def container_decrypt_stream(self, descriptor: str, container: Source, out: Sink, **params: Unpack[ContainerParams]) -> None:
        """out: not to be used before this returns."""
        self._contain("se_container_decrypt_stream", descriptor, container, out, params)

    def _contain(self, name: str, descriptor: str, source: Source, out: Sink, params: Any) -> None:
        call = _Call()
        struct, begin, end = call.params(ContainerParams, params), call.source(source), call.sink(out)
        self._move(name, call, C.byref(end), call.text(descriptor), C.byref(begin), C.byref(struct))

    def container_encrypt_file(self, descriptor: str, content: Path, out: Path, **params: Unpack[ContainerParams]) -> None:
        call = _Call()
        struct = call.params(ContainerParams, params)
        self._move("se_container_encrypt_file", call, call.path(out), call.text(descriptor), call.path(content), C.byref(struct))

    def container_decrypt_file(self, descriptor: str, container: Path, out: Path, **params: Unpack[ContainerParams]) -> None:
        call = _Call()
        struct = call.params(ContainerParams, params)
        self._move("se_container_decrypt_file", call, call.path(out), call.text(descriptor), call.path(container), C.byref(struct))

    # ---- zips ----

    def zip_sign(self, descriptor: str, path: Path, out: Path | None = None, **params: Unpack[ZipSignParams]) -> None:
        """out: None is in place."""
        call = _Call()
        struct = call.params(ZipSignParams, params)
        place = None if out is None else call.path(out)
        self._move("se_zip_sign", call, place, call.text(descriptor), call.path(path), C.byref(struct))

    def zip_verify(self, descriptor: str, path: Path, **params: Unpack[ZipVerifyParams]) -> ZipReport:
        """The `results` of an error are the report, as far as it goes."""
        call = _Call()
        signatures: list[tuple[str, Signer]] = []
        entries: list[ZipEntry] = []
        struct = call.params(ZipVerifyParams, params)
        struct.signature = call.tell(_TELL_SIGNATURE, lambda _, name, place: signatures.append((_text(name), _read_at(Signer, place))))
        struct.entry = call.tell_list(ZipEntry, entries)
        try:
            self._do("se_zip_verify", call, call.text(descriptor), call.path(path), C.byref(struct))
        except SignengineError as e:
            e.results = ZipReport(tuple(signatures), tuple(entries))
            raise
        return ZipReport(tuple(signatures), tuple(entries))

    # ---- which version has made something ----

    def find_versions(self, descriptor: str, content: Data) -> list[int]:
        call = _Call()
        return self._versions("se_find_versions", call, descriptor, call.blob(content))

    def find_versions_stream(self, descriptor: str, content: Source) -> list[int]:
        call = _Call()
        source = call.source(content)
        return self._versions("se_find_versions_stream", call, descriptor, C.byref(source))

    def find_versions_file(self, descriptor: str, path: Path) -> list[int]:
        call = _Call()
        return self._versions("se_find_versions_file", call, descriptor, call.path(path))

    def mail_find_versions(self, descriptor: str, message: Source) -> list[int]:
        call = _Call()
        source = call.source(message)
        return self._versions("se_mail_find_versions", call, descriptor, C.byref(source))

    def _versions(self, name: str, call: _Call, descriptor: str, content: Any) -> list[int]:
        found: list[int] = []
        self._do(name, call, call.text(descriptor), content, call.tell(_TELL_VERSION, lambda _, version: found.append(version)), None)
        return found

    # ---- access ----

    def access_open(self, report: Callable[[Report], object] | None = None) -> Access:
        call, pointer = _Call(), C.c_void_p()
        each: Any = report
        tell = call.tell(_TELL, lambda _, place: each(_read_at(Report, place))) if report else None
        self._move("se_access_open", call, C.byref(pointer), tell, None)
        access = Access.__new__(Access)
        access._own(pointer, _release_by("se_access_close"))
        return access

    def access_rows(self) -> list[AccessRow]:
        call = _Call()
        rows: list[AccessRow] = []
        self._do("se_access_rows", call, call.tell_list(AccessRow, rows), None)
        return rows

    # ---- mail ----

    def mail_sign(self, descriptor: str, message: Source, out: Sink, **params: Unpack[MailSignParams]) -> Mail:
        call, done = _Call(), _SHAPES[Mail][0]()
        struct, source, sink = call.params(MailSignParams, params), call.source(message), call.sink(out)
        with self._handle as engine:
            call.run("se_mail_sign", C.byref(sink), C.byref(done), engine, call.text(descriptor), C.byref(source), C.byref(struct))
        return _read(Mail, done)

    def mail_verify(self, descriptor: str, message: Source, **params: Unpack[MailVerifyParams]) -> Mail:
        call = _Call()
        struct, source = call.params(MailVerifyParams, params), call.source(message)
        return self._find(Mail, "se_mail_verify", call, call.text(descriptor), C.byref(source), C.byref(struct))

    # ---- histories ----

    def history_create(self, store: str, **options: Unpack[HistoryOptions]) -> None:
        call = _Call()
        self._do("se_history_create", call, call.text(store), C.byref(call.params(HistoryOptions, options)))

    def history_open(self, store: str, **options: Unpack[HistoryOptions]) -> History:
        return History(self, store, **options)


def _verifying(call: _Call, form: Form, params: Any) -> Any:
    struct = call.params(VerifyParams, params)
    struct.form = int(Form(form))
    return struct


def _gather(call: _Call, pieces: list[bytes]) -> Any:
    def write(_: Any, place: int, size: int) -> int:
        pieces.append(C.string_at(place, size))
        return 0

    return call.keep(_Sink(call.tell(_WRITE, write), None))


class History(_Closed):
    """Engine.history_open(). It keeps the engine as it is now, which may be closed before. Not for the child of a fork."""

    def __init__(self, engine: Engine, store: str, **options: Unpack[HistoryOptions]) -> None:
        call, pointer = _Call(), C.c_void_p()
        progress: Any = options.pop("progress", None)
        struct = call.params(HistoryOptions, options)
        if progress is not None:  # it is called for as long as the history is open; an exception of it is False
            watch = _PROGRESS(lambda _, done, total: progress(done, total) is not False)
            struct.progress = _place(watch)
            self._progress = watch
        place, held = call.text(store), engine.hold()
        try:
            with held._handle as own:
                call.run("se_history_open", C.byref(pointer), own, place, C.byref(struct))
        except BaseException:
            held.close()
            raise

        def release(history: Any) -> None:
            _function("se_history_close")(C.byref(history))
            held.close()

        self._own(pointer, release, forks=False)

    def _do(self, name: str, call: _Call, *arguments: Any, results: Any = None) -> None:
        with self._handle as history:
            call.run(name, history, *arguments, results=results)

    def _make(self, name: str, *arguments: Any) -> bytes:
        with _buffer() as out, self._handle as history:
            _Call().run(name, C.byref(out), history, *arguments)
            return _copy(out)

    def append(self, object: Data, payload: Data) -> int:
        call, seq = _Call(), C.c_uint64()
        with self._handle as history:
            call.run("se_history_append", C.byref(seq), history, call.blob(object), call.blob(payload))
        return seq.value

    def append_many(self, records: Sequence[tuple[Data, Data]], **params: Unpack[HistoryAppendParams]) -> HistoryAppended:
        """All of them, object and payload each, or none."""
        call, out = _Call(), _SHAPES[HistoryAppended][0]()
        place, rows = call.array(_Record, len(records))
        for row, (name, payload) in zip(rows, records):
            row.object, row.payload = call.blob(name), call.blob(payload)
        struct = call.params(HistoryAppendParams, params)
        with self._handle as history:
            call.run("se_history_append_many", C.byref(out), history, place, C.c_size_t(len(rows)), C.byref(struct))
        return _read(HistoryAppended, out)

    def head(self) -> bytes:
        return self._make("se_history_head")

    def verify(self, **options: Unpack[HistoryVerifyOptions]) -> HistoryReport:
        """The `results` of an error are the findings."""
        call, out = _Call(), _SHAPES[HistoryReport][0]()
        found: list[HistoryFinding] = []
        struct = call.params(HistoryVerifyOptions, options)
        struct.finding = call.tell_list(HistoryFinding, found)
        with self._handle as history:
            call.run("se_history_verify", C.byref(out), history, C.byref(struct), results=found)
        return _read(HistoryReport, out)

    def read(self, each: Callable[[HistoryEntry], object], **range: Unpack[HistoryRange]) -> None:
        """each: is called with every entry; False: no more."""
        call = _Call()
        struct = call.params(HistoryRange, range)
        self._do("se_history_read", call, C.byref(struct), call.tell_on(HistoryEntry, each), None)

    def export(self, each: Callable[[HistoryEntry], object], **range: Unpack[HistoryRange]) -> tuple[HistoryReport, bytes]:
        """read(), with what was verified and the last seal."""
        call, out = _Call(), _SHAPES[HistoryReport][0]()
        struct = call.params(HistoryRange, range)
        tell = call.tell_on(HistoryEntry, each)
        with _buffer() as seal, self._handle as history:
            call.run("se_history_export", C.byref(out), C.byref(seal), history, C.byref(struct), tell, None)
            return _read(HistoryReport, out), _copy(seal)

    def prove(self, seq: int) -> bytes:
        return self._make("se_history_prove", _number(C.c_uint64, seq))

    def erase(self, seq: int) -> None:
        self._do("se_history_erase", _Call(), _number(C.c_uint64, seq))

    def prune(self, before: int) -> int:
        """Up to which entry they were dropped."""
        dropped = C.c_uint64()
        with self._handle as history:
            _Call().run("se_history_prune", C.byref(dropped), history, _number(C.c_int64, before))
        return dropped.value

    def resign(self) -> None:
        self._do("se_history_resign", _Call())

    def end(self) -> None:
        self._do("se_history_end", _Call())


# ---- what needs no engine ----

def history_chains(store: str) -> list[HistoryChain]:
    call = _Call()
    found: list[HistoryChain] = []
    call.run("se_history_chains", call.text(store), call.tell_on(HistoryChain, found.append), None)
    return found


def history_sealers(store: str, chain: str | None = None) -> list[HistorySeals]:
    """chain: None is all."""
    call = _Call()
    found: list[HistorySeals] = []
    name = None if chain is None else call.text(chain)
    call.run("se_history_sealers", call.text(store), name, call.tell_on(HistorySeals, found.append), None)
    return found


def history_verify_proof(proof: Data, certificate: Data | None = None) -> HistoryProof:
    """certificate: whose seal it has to be; None: the one that the proof brings, and whose that is has to be known otherwise."""
    call, out = _Call(), _SHAPES[HistoryProof][0]()
    whose = _Bytes() if certificate is None else call.full(certificate, "the certificate")
    try:
        call.run("se_history_verify_proof", C.byref(out), call.blob(proof), whose)
        return _read(HistoryProof, out)
    finally:
        _function("se_history_proof_free")(C.byref(out))


def config_verify(config: Data, trust: Path, path: Path | None = None, **params: Unpack[ConfigVerifyParams]) -> Signer:
    call, out = _Call(), _SHAPES[Signer][0]()
    struct = call.params(ConfigVerifyParams, params)
    place = None if path is None else call.path(path)
    call.run("se_config_verify", C.byref(out), call.blob(config), place, call.path(trust), C.byref(struct))
    return _read(Signer, out)


def evidence_make(groups: Sequence[Sequence[Path | tuple[str, Source]]], **params: Unpack[EvidenceParams]) -> list[bytes]:
    """A record for each group of files; a file is its path, or a name and a stream."""
    return _evidence("se_evidence_make", [(files,) for files in groups], params)


def evidence_renew(records: Sequence[tuple[Sequence[Path | tuple[str, Source]], Data]], trust: EvidenceVerifyParams,
                   **params: Unpack[EvidenceParams]) -> list[bytes]:
    """records: files, and the record so far."""
    return _evidence("se_evidence_renew", records, params, trust)


def _evidence(name: str, records: Sequence[tuple[Any, ...]], params: Any, *trust: Any) -> list[bytes]:
    call = _Call()
    place, rows = call.array(_Evidence, len(records))
    for row, record in zip(rows, records):
        call.evidence(row, *record)
    struct = call.params(EvidenceParams, params)
    others = [C.byref(call.params(EvidenceVerifyParams, one)) for one in trust]
    call.run(name, place, C.c_size_t(len(rows)), C.byref(struct), *others)
    return [_take(row.made) for row in rows]


def evidence_verify(files: Sequence[Path | tuple[str, Source]], record: Data,
                    **params: Unpack[EvidenceVerifyParams]) -> list[EvidenceStamp]:
    call, row = _Call(), _Evidence()
    found: list[EvidenceStamp] = []
    call.evidence(row, files, record)
    struct = call.params(EvidenceVerifyParams, params)
    call.run("se_evidence_verify", C.byref(row), C.byref(struct), call.tell_list(EvidenceStamp, found), None)
    return found


def check_tsa(url: str, policy: str | None = None, **options: Unpack[CheckOptions]) -> CheckRow:
    """A time stamping authority that can't be used raises; the error's `results` are its row."""
    call = _Call()
    return _check_one("se_check_tsa", call, options, call.text(url), None if policy is None else call.text(policy))


def check_record(path: Path, **options: Unpack[CheckOptions]) -> CheckRow:
    """Until when the evidence record in that file has to be renewed; errors are as those of check_tsa()."""
    call = _Call()
    return _check_one("se_check_record", call, options, call.path(path))


def _check_one(name: str, call: _Call, options: CheckOptions, *what: bytes | None) -> CheckRow:
    rows: list[CheckRow] = []
    call.run(name, *what, call.tell_list(CheckRow, rows), None, C.byref(call.params(CheckOptions, options)), results=rows)
    return rows[0]


def is_container(beginning: Data) -> bool:
    return bool(_function("se_is_container")(_Call().blob(beginning)))


def context(pairs: Mapping[str, str]) -> bytes:
    """The context of a value, from its parts: {"table": "person", "row": "7"}."""
    call = _Call()
    place, count = call.pairs(pairs)
    with _buffer() as out:
        call.run("se_context", C.byref(out), place, C.c_size_t(count))
        return _copy(out)


def mail_address(field: str) -> str:
    """The one mail address in the value of a From field."""
    call = _Call()
    with _buffer() as out:
        call.run("se_mail_address", C.byref(out), call.text(field))
        return _copy(out).decode()


def scramble_pins(config: Data, pin_key: Path) -> tuple[bytes, int]:
    """The configuration's text, and how many values were rewritten."""
    call, count = _Call(), C.c_size_t()
    with _buffer() as out:
        call.run("se_scramble_pins", C.byref(out), C.byref(count), call.blob(config), call.path(pin_key))
        return _copy(out), count.value


def scramble_pin(pin: Data, pin_key: Path) -> str:
    call = _Call()
    with _buffer() as out:
        call.run("se_scramble_pin", C.byref(out), call.blob(pin), call.path(pin_key))
        return _copy(out).decode()


def retry_pins() -> None:
    _function("se_retry_pins")()
