# SPDX-License-Identifier: Apache-2.0
"""compare_contents.py <ANSWERS: that each reader finds in signed/NAME what it found in before/NAME.  Prints differences, and counts.
Whether the line end in front of the file's end belongs to a part depends on the reader, not for Python; other line ends count."""
import json
import sys


def same(judge, before, after):
    """But for one line end behind the last part, or the whole of a multipart without parts."""
    for i, (one, other) in enumerate(zip(before, after)):
        loose = one[0].startswith("multipart/") or (judge != "python" and i == len(before) - 1)
        if one[:-1] != other[:-1] or abs(one[-1] - other[-1]) > loose:
            return False
    return len(before) == len(after)


def main():
    answers, wrong, counts = {}, 0, {}
    for line in sys.stdin:
        answer = json.loads(line)
        folder, name = answer["message"].split("/", 1)
        answers[answer["judge"], name, folder] = answer["parts"]
    for judge, name, folder in sorted(answers):
        if folder != "signed":
            continue
        before, after = answers[judge, name, "before"], answers[judge, name, "signed"]
        counts[judge] = counts.get(judge, 0) + 1
        if same(judge, before, after):
            continue
        wrong += 1
        print("%s: %s: %d parts, now %d" % (name, judge, len(before), len(after)))
        for one, other in zip(before, after):
            if not same(judge, [one], [other]):
                print("    before %s\n    now    %s" % (one, other))
                break
    print(", ".join("%s: %d messages" % row for row in sorted(counts.items())))
    sys.exit(1 if wrong or not counts else 0)


main()
