# SPDX-License-Identifier: Apache-2.0
"""The sessions on a manual page: what is typed, and what is printed then.

    operations.py split PAGE FOLDER    a folder for each command: 001/command, 001/wanted, 001/prose, 001/place
    operations.py compare FOLDER       001/seen with 001/wanted, for each of them

A display (.Bd -literal to .Ed) is a session: a line that begins with "$ " is a command, which goes on behind "\\" or "> "; what
follows is its output.  The prose is what the page says between the last command and this one.

An output is the same if its lines are, but for this: "…" on the page is a number, an ID or a fingerprint in hexadecimal digits;
a line that is too long for the page goes on in the next, which is indented; blanks at line ends do not count.
"""
import pathlib
import re
import sys

ESCAPES = {"\\e": "\\", "\\&": "", "\\-": "-", "\\(aq": "'", "\\(dq": '"', "\\(bu": "•"}
MACRO = re.compile(r"(?<!\S)(?:Ar|Cm|Dq|Dv|El|Em|Ev|Fl|Ic|It|Li|Nm|No|Ns|Oc|Oo|Op|Pa|Pc|Po|Pq|Ql|Qq|Sx|Va|Xr)(?!\S)")
TYPED = re.compile(r"\.(?:Pq )?(?:Li|Ql) (?:signengined?|openssl|systemctl|journalctl|rsync|ssh|tar|sqlite3|pkcs11-tool) ")
WIDTH = 75  # a terminal has 80, and mandoc leaves 5 free


def fail(place, text):
    sys.exit(f"{place}: {text}")


def text_of(line, place):
    def character(match):
        return ESCAPES[match[0]] if match[0] in ESCAPES else fail(place, f"what is {match[0]}?")

    return re.sub(r"\\(?:\(..|.)", character, line)


def prose_of(line, place):
    if line.startswith('.\\"'):
        return ""
    if TYPED.match(line):
        fail(place, f"a command outside of a display: {line}")
    if line.startswith("."):
        line = MACRO.sub("", " ".join(line.split()[1:]))
    return " ".join(text_of(line, place).split())


class Page:
    def __init__(self):
        self.steps = []
        self.prose = []
        self.begins = False  # a display: its first line is a command

    def take_prose(self, line, place):
        self.prose.append(prose_of(line, place))

    def take_session(self, line, place):
        line = text_of(line, place)
        if len(line) > WIDTH:
            fail(place, f"longer than {WIDTH}: {line}")
        last = self.steps[-1] if self.steps else None
        if line.startswith("$ "):
            prose = " ".join(word for word in self.prose if word)
            self.steps.append({"command": [line[2:]], "wanted": [], "prose": prose, "place": place})
            self.prose = []
        elif self.begins:
            fail(place, "a display that does not begin with a command")
        elif not last["wanted"] and last["command"][-1].endswith("\\"):
            last["command"].append(line)
        elif not last["wanted"] and line.startswith("> "):
            last["command"].append(line[2:])
        else:
            last["wanted"].append(line)
        self.begins = False


def read_page(path):
    page, display = Page(), False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        place = f"{path.name}:{number}"
        if line.startswith((".Bd", ".Dl", ".D1")):
            display = page.begins = line.startswith(".Bd -literal") or fail(place, "neither prose nor a session")
        elif line == ".Ed":
            display = False
        elif display:
            page.take_session(line, place)
        else:
            page.take_prose(line, place)
    return page.steps


def split(path, folder):
    for number, step in enumerate(read_page(path), 1):
        place = folder / f"{number:03}"
        place.mkdir(parents=True)
        for name, text in step.items():
            (place / name).write_text(text + "\n" if isinstance(text, str) else "".join(line + "\n" for line in text))


def is_line(wanted, seen):
    parts = [re.escape(part) for part in wanted.split("…")]
    return re.fullmatch("[0-9a-fA-F]+…?".join(parts), seen) is not None


def consumed(wanted, seen):
    """How many lines of the page are this line of the output; 0: they are not."""
    joined = wanted[0]
    for count in range(1, len(wanted) + 1):
        if is_line(joined, seen):
            return count
        if count < len(wanted):
            if not wanted[count].startswith("  "):
                return 0
            joined += " " + wanted[count].lstrip()
    return 0


def is_output(wanted, seen):
    at = 0
    for line in seen:
        step = consumed(wanted[at:], line) if at < len(wanted) else 0
        if not step:
            return False
        at += step
    return at == len(wanted)


def compare(folder):
    differ = 0
    for place in sorted(folder.iterdir()):
        wanted, seen = ([line.rstrip() for line in (place / name).read_text().splitlines()] for name in ("wanted", "seen"))
        if not is_output(wanted, seen):
            differ += 1
            print((place / "place").read_text().strip() + ": $ " + (place / "command").read_text(), end="")
            print("".join(f"    page: {line}\n" for line in wanted) + "".join(f"    seen: {line}\n" for line in seen), end="")
    print(f"{len(list(folder.iterdir()))} commands, {differ} print something else")
    sys.exit(differ != 0)


if __name__ == "__main__":
    {"split": split, "compare": compare}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
