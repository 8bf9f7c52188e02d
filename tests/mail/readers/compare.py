#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py VERDICTS <ANSWERS: that every reader shows what was accepted as we name it.

VERDICTS: lines "NAME WANTED STATUS [SENDER OPAQUE]"; ANSWERS: lines of JSON, of all readers.  Prints differences, and a line of counts.
"""
import json
import re
import sys

TEXTS = {"ceo@example.org": "Pay 100 to Alice.", "attacker@example.org": "Hello from the attacker."}
FOREIGN = "Mallory"  # nobody signed that


def squeeze(text):
    return " ".join(text.split())


def shows(answer, sender, opaque):
    if opaque:  # only programs with S/MIME look into it
        return None
    if not answer["texts"] or not squeeze(answer["texts"][0]).startswith(TEXTS[sender]):
        return "shows %r first" % (answer["texts"][:1],)
    return None


def names(answer, sender):
    found = answer["from"]
    if answer["judge"] == "mutt":  # the field as it is; the address that counts is the last one
        found = re.findall(r"[^\s<>\"(),:;]+@[^\s<>\"(),:;]+", found[0])[-1:] if len(found) == 1 else found
    # quotes that an address need not have are no other address
    if [re.sub(r'^"([^"]*)"@', r"\1@", a or "") .lower() for a in found] == [sender.lower()]:
        return None
    return "says it is from %r" % (answer["from"],)


def main():
    accepted, wrong, refused = {}, 0, 0
    with open(sys.argv[1]) as file:
        for line in file:
            name, wanted, status, *sender = line.split()
            good = status == "0"
            refused += not good
            if good:
                accepted[name] = sender[0], sender[1] == "true"
            if (wanted == "good" and not good) or (wanted == "refused" and good) or status not in ("0", "1", "65"):
                print("%s: status %s, it should be %s" % (name, status, wanted))
                wrong += 1
    counts = {}
    for line in sys.stdin:
        answer = json.loads(line)
        name = answer["message"].split("/")[-1][:-len(".eml")]
        counts[answer["judge"]] = counts.get(answer["judge"], 0) + 1
        sender, opaque = accepted[name]
        for fault in (shows(answer, sender, opaque), names(answer, sender),
                      "shows what nobody signed" if any(FOREIGN in text for text in answer["texts"]) else None):
            if fault:
                print("%s: %s %s; accepted as from %s" % (name, answer["judge"], fault, sender))
                wrong += 1
    for judge, count in counts.items():
        if count != len(accepted):
            print("%s answered %d times, not %d" % (judge, count, len(accepted)))
            wrong += 1
    print("%d accepted, %d refused, %d wrong; readers: %s" % (len(accepted), refused, wrong, " ".join(sorted(counts))))
    sys.exit(1 if wrong else 0)


main()
