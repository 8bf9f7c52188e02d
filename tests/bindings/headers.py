# SPDX-License-Identifier: Apache-2.0
"""What the public headers declare, and what a compiler makes of it."""
import os
import re
import shlex
import subprocess

SOURCE = os.path.join(os.environ["top_srcdir"], "src")
HEADERS = ("signengine", "signengine-history", "signengine-mail")
COMPILER = shlex.split(os.environ.get("CC", "cc"))
PREFIXES = {"Status": "SE_ERR_", "VersionState": "SE_VERSION_", "CheckLevel": "SE_CHECK_", "Form": "SE_FORM_", "Purpose": "SE_PURPOSE_",
            "Accept": "SE_ACCEPT_", "Revocation": "SE_REVOCATION_", "RevocationSource": "SE_REVOCATION_BY_", "JwsForm": "SE_JWS_",
            "ZipState": "SE_ZIP_", "EventKind": "SE_EVENT_", "FindingKind": "SE_FINDING_"}


def preprocess():
    """The text of our headers, without comments, macros and the system's."""
    text = ""
    for header in HEADERS:
        output = subprocess.run([*COMPILER, "-E", "-I" + SOURCE, os.path.join(SOURCE, header + ".h")], capture_output=True, check=True).stdout.decode()
        ours = False
        for line in output.splitlines():
            if line.startswith("#"):
                ours = '/%s.h"' % header in line
            elif ours:
                text += line + "\n"
    return text


def members(body):
    """Names of members; a member is a name before its array's size, or the pointer to a function."""
    for declaration in filter(str.strip, body.split(";")):
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration)
        if pointer:
            yield pointer[1]
            continue
        for name in declaration.split(","):
            yield re.search(r"(\w+)\s*(\[[^]]*\])?\s*$", name)[1]


def is_callback(declaration):
    return re.match(r"se_\w+_fn\b", declaration) is not None


TEXT = preprocess()
STRUCTS = {name: list(members(body)) for name, body in re.findall(r"\bstruct\s+(se_\w+)\s*\{([^}]*)\}", TEXT)}
ENUMS = {name: re.findall(r"\b(SE_[A-Z0-9_]+)", body) for name, body in re.findall(r"\benum\s+(se_\w+)\s*\{([^}]*)\}", TEXT)}
FUNCTIONS = set(re.findall(r"\b(se_\w+)\(", TEXT))


def measure():
    """What a compiler makes of it: sizes, offsets, values."""
    lines = []
    for struct, names in STRUCTS.items():
        lines.append('    printf("%s %%zu\\n", sizeof(struct %s));' % (struct, struct))
        lines += ['    printf("%s.%s %%zu %%zu\\n", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));' % (struct, n, struct, n, struct, n) for n in names]
    lines += ['    printf("%s %%d\\n", (int)%s);' % (name, name) for names in ENUMS.values() for name in names]
    lines.append('    printf("SE_MAIL_CHANGED %d\\n", SE_MAIL_CHANGED);')
    with open("layout.c", "w") as file:
        file.write("".join("#include <%s.h>\n" % header for header in HEADERS) + "#include <stdio.h>\nint main(void)\n{\n" + "\n".join(lines) + "\n}\n")
    subprocess.run([*COMPILER, "-I" + SOURCE, "-o", "layout", "layout.c"], check=True)
    output = subprocess.run(["./layout"], capture_output=True, check=True, env={}).stdout.decode()
    return {line.split()[0]: tuple(map(int, line.split()[1:])) for line in output.splitlines()}


MEASURED = measure()
