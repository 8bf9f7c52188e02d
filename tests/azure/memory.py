# SPDX-License-Identifier: Apache-2.0
"""memory.py PID SECRET-FILE: how often the secret, its encoded form and tokens are in what a process can write to."""
import re
import sys
import urllib.parse

pid, secret = sys.argv[1], open(sys.argv[2], 'rb').read().strip()
needles = {
    'secret': re.escape(secret),
    'form': re.escape(urllib.parse.quote(secret.decode(), safe='').encode()),
    'token': rb'eyJ[\w-]{20,}\.eyJ[\w-]{20,}',
    'header': rb'Bearer eyJ[\w-]{20,}\.eyJ[\w-]{20,}',
}
found = dict.fromkeys(needles, 0)
with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as mem:
    for line in maps:
        area, mode = line.split()[:2]
        start, end = (int(x, 16) for x in area.split('-'))
        if not mode.startswith('rw') or end - start > 1 << 28:
            continue
        try:
            mem.seek(start)
            data = mem.read(end - start)
        except OSError:
            continue
        for name, needle in needles.items():
            found[name] += len(re.findall(needle, data))
print(*(f'{name} {count}' for name, count in found.items()), sep='\n')
