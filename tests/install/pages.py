# SPDX-License-Identifier: Apache-2.0
"""pages.py links FOLDER: every link of every page leads somewhere, and every page can be reached from index.html.
pages.py contrast CSS: what has to be read has 4.5 to 1 at the least (WCAG AA), in both colour schemes.
pages.py frames FOLDER FILE: a page that shows each page in frames of 400, 800 and 1,400 pixels, and tells which are wider than that."""
import html.parser
import json
import pathlib
import re
import sys
import urllib.parse


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.open = [], {""}, []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.anchors.add(value)
            if name in ("href", "src"):
                self.links.append(value)


def check_links(folder):
    pages = {path.name: Page(path) for path in folder.glob("*.html")}
    wrong, met, waiting = [], {"index.html"}, ["index.html"]
    for name, page in pages.items():
        for link in page.links:
            url = urllib.parse.urlsplit(link)
            if url.scheme:
                continue
            target = url.path or name
            if not (folder / target).is_file():
                wrong.append(f"{name}: {link} is not there")
            elif target in pages and urllib.parse.unquote(url.fragment) not in pages[target].anchors:
                wrong.append(f"{name}: {link} has no such place")
    while waiting:
        for link in pages[waiting.pop()].links:
            target = urllib.parse.urlsplit(link).path
            if target in pages and target not in met:
                met.add(target)
                waiting.append(target)
    wrong += [f"{name} can't be reached" for name in pages.keys() - met]
    print("\n".join(sorted(wrong)) or f"{len(pages)} pages, {sum(len(page.links) for page in pages.values())} links")
    return not wrong


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def check_contrast(css):
    schemes = [dict(re.findall(r"--([a-z]+): (#[0-9a-f]+)", rule)) for rule in re.findall(r":root \{([^}]*)\}", css.read_text())]
    good = len(schemes) == 2
    for scheme in schemes:
        for ink in ("ink", "soft", "link"):
            for paper in ("paper", "quiet"):
                light, dark = sorted((luminance(scheme[ink]), luminance(scheme[paper])), reverse=True)
                ratio = (light + 0.05) / (dark + 0.05)
                print(f"{ink} {scheme[ink]} on {paper} {scheme[paper]}: {ratio:.1f}")
                good &= ratio >= 4.5
    return good


def write_frames(folder, file):
    names = sorted(path.name for path in folder.glob("*.html"))
    file.write_text(f"""<!DOCTYPE html><html><body><p id="verdict">waiting</p><script>
const frames = [], wide = [];
for (const name of {json.dumps(names)}) for (const width of [400, 800, 1400]) frames.push([name, width]);
function show() {{
    if (!frames.length) {{ document.getElementById("verdict").textContent = `${{wide.length}} too wide: ${{wide.join(", ")}}; seen: ` + {len(names)}; return; }}
    const [name, width] = frames.shift(), frame = document.createElement("iframe");
    frame.style.width = width + "px"; frame.style.height = "600px"; frame.style.border = "0";
    frame.onload = () => {{
        const page = frame.contentDocument.documentElement;
        if (page.scrollWidth > width) wide.push(`${{name}} has ${{page.scrollWidth}} of ${{width}}`);
        frame.remove(); show();
    }};
    frame.src = {json.dumps(folder.as_uri())} + "/" + name;
    document.body.append(frame);
}}
show();
</script></body></html>
""")
    return True


jobs = {"links": check_links, "contrast": check_contrast, "frames": write_frames}
sys.exit(0 if jobs[sys.argv[1]](*map(lambda name: pathlib.Path(name).resolve(), sys.argv[2:])) else 1)
