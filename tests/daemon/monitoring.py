# SPDX-License-Identifier: Apache-2.0
"""What doc/monitoring.md and its files say, beside what there is.

monitoring.py names METRICS CHECKED RULES DASHBOARD   each metric that rules and dashboard name is one of the daemon's, and it has no other that
                                              the dashboard forgets; or in the rules one of the timer's
monitoring.py dashboard DASHBOARD             its panels have places of their own, and ids
monitoring.py ask DASHBOARD URL               Prometheus understands each question of the dashboard, and has an answer
monitoring.py fields PAGE RECORDS             each field of the journal that the page names is a member of some record"""
import json
import re
import sys
import urllib.parse
import urllib.request

NAME = re.compile(r"\b(?:signengine|process)_[a-z_]+")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def fail_if(wrong, why):
    if wrong:
        sys.exit("%s: %s" % (why, sorted(wrong)))


def questions(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def check_names(metrics, checked, rules, dashboard):
    there, by_timer = (set(re.findall(r"^# HELP (\S+)", read(path), re.M)) for path in (metrics, checked))
    in_rules = set(NAME.findall(read(rules)))
    asked = {re.sub("_bucket$", "", name) for text in questions(load(dashboard)) for name in NAME.findall(text)}
    fail_if(in_rules - there - by_timer, "metrics in the rules that do not exist")
    fail_if(asked - there, "metrics in the dashboard that do not exist")
    fail_if(there - asked, "metrics that the dashboard forgets")
    print(len(in_rules), "names in rules,", len(asked), "in the dashboard")


def check_dashboard(path):
    panels = load(path)["panels"]
    places = set()
    for panel in panels:
        p = panel["gridPos"]
        taken = {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        fail_if(taken & places, "'%s' lies on another panel" % panel["title"])
        fail_if([x for x, _ in taken if x >= 24], "'%s' is beyond the edge" % panel["title"])
        places |= taken
        fail_if([t["refId"] for t in panel.get("targets", []) if t["datasource"]["uid"] != "${datasource}"], "'%s': another source" % panel["title"])
    ids = [panel["id"] for panel in panels]
    fail_if([i for i in ids if ids.count(i) > 1], "ids of several panels")
    print(len(panels), "panels")


def ask_all(path, url):
    empty = 0
    for text in questions(load(path)):
        text = text.replace("$job", "signengine").replace("$instance", ".*").replace("$__rate_interval", "20s")
        with urllib.request.urlopen(url + "/api/v1/query?query=" + urllib.parse.quote(text)) as answer:
            result = json.load(answer)["data"]["result"]
        # what shows only what is wrong may have nothing to show
        if not result and not re.search(r" (> 0|== [01])$|result!=", text):
            sys.exit("no answer to: " + text)
        empty += not result
    print("asked", len(questions(load(path))), "questions,", empty, "have no answer now")


def check_fields(page, records):
    members = set()
    for line in read(records).splitlines():
        record = json.loads(line)
        members |= set(record) | set(record["caller"] or {})
    fields = {"SIGNENGINE_" + re.sub("([A-Z])", r"_\1", name).upper() for name in members}
    named = set(re.findall(r"SIGNENGINE_[A-Z0-9_]*[A-Z0-9]", read(page)))
    fail_if(named - fields, "fields that no record has")
    print(len(named), "fields")


{"names": check_names, "dashboard": check_dashboard, "ask": ask_all, "fields": check_fields}[sys.argv[1]](*sys.argv[2:])
