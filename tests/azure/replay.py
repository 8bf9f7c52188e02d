# SPDX-License-Identifier: Apache-2.0
"""Sends recorded requests to the emulator and compares its answers' shapes with the recorded ones.

    replay.py VECTORS vault|hsm     with the environment of azure.sh; EMULATED is the emulator's folder

A shape is: status, names of members, in their order, and kinds of values; values where they are the service's words and not a
key's; the headers that a client looks at.  Versions, jobs, blobs and cipher texts of the recording are replaced by those that the
emulator gave.  Prints a line for each difference and last a line with counts.
"""
import glob
import json
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

VECTORS, MODE = sys.argv[1:3]
STORE = "AzureManagedHSM" if MODE == "hsm" else "AzureKeyVault"
FOLDER = os.environ["EMULATED"]
VAULT = os.environ["VAULT"].replace("test.vault.localhost", "localhost").replace("test.managedhsm.localhost", "localhost")
HEX = re.compile(r"[0-9a-f]{32}")
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
WORDS = {"kty", "crv", "alg", "enabled", "exportable", "status", "code", "recoveryLevel", "recoverableDays", "token_type", "error",
         "cancellation_requested", "type", "roleName", "contentType", "key_size", "validity_months", "action_type", "error_codes",
         "ekus", "key_usage", "scope", "timeAfterCreate", "expiryTime", "status_details"}
HEADERS = ("www-authenticate", "location", "azure-asyncoperation", "content-type", "strict-transport-security", "cache-control",
           "x-ms-request-id", "x-ms-keyvault-region", "x-ms-keyvault-service-version", "x-ms-keyvault-network-info",
           "x-ms-server-latency", "retry-after")
# recorded on some machines of a service only, or not in all years
SOMETIMES = {"x-ms-keyvault-region", "x-ms-keyvault-network-info", "x-ms-request-id", "content-type", "retry-after", "cache-control",
             "strict-transport-security", "x-ms-server-latency"}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), NoRedirect,
    urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=FOLDER + "/ca.pem")))


def send(method, url, body=None, token=None, headers=None):
    data = None
    headers = dict(headers or {})
    if body is not None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    if token:
        headers["Authorization"] = "Bearer " + token
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        answer = opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    text = answer.read()
    try:
        parsed = json.loads(text) if text else None
    except ValueError:
        parsed = text.decode("utf-8", "replace")
    return answer.status, {name.lower(): value for name, value in answer.headers.items()}, parsed


def get_token(**change):
    form = {"grant_type": "client_credentials", "client_id": os.environ["CLIENT"], "client_secret": os.environ["SECRET"],
            "scope": os.environ["RESOURCE"] + "/.default"}
    form.update(change)
    form = {name: value for name, value in form.items() if value is not None}
    return send("POST", f"{os.environ['AUTHORITY']}/{os.environ['TENANT']}/oauth2/v2.0/token", urllib.parse.urlencode(form),
                headers={"Content-Type": "application/x-www-form-urlencoded"})


TOKEN = get_token()[2]["access_token"]
counts = {"compared": 0, "differ": 0, "skipped": 0, "texts": 0, "same texts": 0}


# ---- shapes ----

def hollow(value):
    """null, or an object of nulls, as older versions wrote "no error"."""
    return value is None or (isinstance(value, dict) and all(item is None for item in value.values()))


def differences(wanted, got, where="", name=""):
    if name == "nextLink":
        return
    if hollow(wanted) and hollow(got):
        return
    if type(wanted) is not type(got):
        yield f"{where}: {kind(got)}, not {kind(wanted)}"
    elif isinstance(wanted, dict):
        left, right = [k for k in wanted if k != "nextLink"], [k for k in got if k != "nextLink"]
        if sorted(left) != sorted(right):
            yield f"{where}: members {right}, not {left}"
        elif left != right and MODE == "vault":
            yield f"{where}: members in another order: {right}, not {left}"
        for key in left:
            if key in got:
                yield from differences(wanted[key], got[key], f"{where}.{key}", key)
    elif isinstance(wanted, list):
        if name == "key_ops" or name in WORDS:
            if sorted(map(str, wanted)) != sorted(map(str, got)):
                yield f"{where}: {got}, not {wanted}"
        elif wanted and got:
            yield from differences(wanted[0], got[0], where + "[0]")
    elif name in WORDS and wanted != got:
        yield f"{where}: {got!r}, not {wanted!r}"


def kind(value):
    return "null" if value is None else type(value).__name__


def header_differences(wanted, got):
    for name in HEADERS:
        if name in wanted and name not in got and name != "retry-after":
            yield f"header {name} is missing"
        if name in got and name not in wanted and name not in SOMETIMES:
            yield f"header {name} is not recorded"
    if "retry-after" in wanted and wanted["retry-after"] != got.get("retry-after"):
        yield f"Retry-After: {got.get('retry-after')}, not {wanted['retry-after']}"
    challenge = wanted.get("www-authenticate")
    if challenge and re.findall(r"(\w+)=", challenge) != re.findall(r"(\w+)=", got.get("www-authenticate", "")):
        yield f"challenge: {got.get('www-authenticate')}, not {challenge}"


def plain_text(body):
    message = body["error"].get("message", "") if isinstance(body, dict) and isinstance(body.get("error"), dict) else ""
    message = re.sub(r"https://[^/']*", "", message)
    return HEX.sub("V", GUID.sub("G", message))


def compare(title, wanted, got, shapes_only=False):
    """wanted: the recorded response; got: status, headers, body."""
    status, headers, body = got
    found = []
    if status != wanted["status"]:
        found.append(f"status {status}, not {wanted['status']}: {str(body)[:200]}")
    else:
        found += differences(wanted["body"], body)
        if not shapes_only:
            found += header_differences(wanted["headers"], headers)
        if status >= 400 and plain_text(wanted["body"]):
            counts["texts"] += 1
            counts["same texts"] += plain_text(wanted["body"]) == plain_text(body)
    counts["compared"] += 1
    if found:
        counts["differ"] += 1
        for line in found:
            print(f"{title}: {line}")


# ---- what the emulator chose otherwise than the service ----

class Names:
    def __init__(self):
        self.known = {}
        self.pages = {}
        self.csr = None

    def learn(self, wanted, got):
        if isinstance(wanted, dict) and isinstance(got, dict):
            for key, value in wanted.items():
                if key == "nextLink" and isinstance(value, str):
                    self.pages[value.split("//", 1)[1].split("/", 1)[1]] = got.get(key)
                elif key == "csr":
                    self.csr = got.get(key)
                elif key in got:
                    self.learn(value, got[key])
        elif isinstance(wanted, list) and isinstance(got, list):
            for left, right in zip(wanted, got):
                self.learn(left, right)
        elif isinstance(wanted, str) and isinstance(got, str) and wanted != got:
            for left, right in zip(HEX.findall(wanted), HEX.findall(got)):
                self.known[left] = right
            if len(wanted) >= 8 and "//" not in wanted:
                self.known[wanted] = got
            folder = re.search(r"mhsm-example-\w+", wanted), re.search(r"mhsm-emulator-\w+", got)
            if all(folder):
                self.known[folder[0].group()] = folder[1].group()

    def put(self, value):
        if isinstance(value, dict):
            return {key: self.put(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.put(item) for item in value]
        if isinstance(value, str):
            if value in self.known:
                return self.known[value]
            return HEX.sub(lambda found: self.known.get(found.group(), found.group()), value)
        return value


def sign_csr(csr):
    folder = FOLDER + "/merge"
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(folder + "/ca.pem"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/ca.key", "-out",
                        folder + "/ca.pem", "-subj", "/CN=CA", "-config", "/dev/null"], check=True, capture_output=True)
    with open(folder + "/csr.pem", "w") as file:
        file.write("-----BEGIN CERTIFICATE REQUEST-----\n" + csr + "\n-----END CERTIFICATE REQUEST-----\n")
    made = subprocess.run(["openssl", "x509", "-req", "-in", folder + "/csr.pem", "-CA", folder + "/ca.pem", "-CAkey",
                           folder + "/ca.key", "-set_serial", "1", "-days", "9"], check=True, capture_output=True, text=True)
    return "".join(line for line in made.stdout.splitlines() if "-----" not in line)


def replay(title, exchanges):
    names = Names()
    issuing = False
    days = "90" if '"recoverableDays": 90' in json.dumps(exchanges) else "7"
    subprocess.run([os.environ["EMULATOR"], "--control", FOLDER + "/control", "set", "recoverable-days", days], check=True)
    for place, exchange in enumerate(exchanges):
        request, response = exchange["request"], exchange["response"]
        if exchange["store"] != STORE:
            continue
        query, body = request["query"], names.put(request["body"])
        path = names.put(request["path"])
        if f"{request['path'].lstrip('/')}?{query}" in names.pages:
            url = names.pages[f"{request['path'].lstrip('/')}?{query}"]
            if not url:
                counts["skipped"] += 1
                continue
        else:
            polls = request["path"].endswith("/pending") and MODE == "hsm"
            url = VAULT + path + "?" + (query or ("" if polls else "api-version=7.4"))
        if path.endswith("/pending/merge") and names.csr:
            body = {"x5c": [sign_csr(names.csr)]}
        token = None if response["status"] == 401 else TOKEN
        # the last poll of a certificate, "completed", is not among the recorded ones
        polling = request["method"] == "GET" and path.endswith("/pending") and MODE == "vault"
        if issuing and not polling:
            time.sleep(0.5)
        issuing = polling and response["body"].get("status") == "inProgress" and response["body"]["issuer"]["name"].lower() == "self"
        line = f"{title}: {request['method']} {request['path']}"
        got = poll(request, response, url, body, token)
        later = exchanges[place + 1] if place + 1 < len(exchanges) else None
        if response["status"] == 404 and got[0] == 200 and later and later["request"] == request and later["response"]["status"] == 200:
            counts["skipped"] += 1  # what took long then is done already
            continue
        compare(line, response, got)
        names.learn(response["body"], got[2])


def poll(request, response, url, body, token):
    """What is asynchronous comes within seconds: the recorded status, and the recorded "status" of a job."""
    for _ in range(60):
        got = send(request["method"], url, body, token)
        wanted = response["body"].get("status") if isinstance(response["body"], dict) else None
        status = got[2].get("status") if isinstance(got[2], dict) else None
        asked_again = request["method"] == "GET" or request["path"].endswith("/restore")
        if not asked_again or (got[0] == response["status"] and (wanted is None or wanted == status)):
            break
        time.sleep(0.05)
    return got


# ---- errors, signatures, logins ----

# These need what is not there in an empty vault, or are of what the emulator doesn't have.
NOT_ALONE = ("/secrets", "/deletedsecrets", "immuta", "/pending/merge", "/backup/", "/restore/")


def replay_errors():
    for entry in json.load(open(VECTORS + "/errors.json")):
        exchange = entry["exchange"]
        if "body" not in exchange["response"] or exchange["store"] != STORE:
            counts["skipped"] += 1
            continue
        request, response = exchange["request"], exchange["response"]
        alone = response["status"] in (400, 404, 500) and not any(part in request["path"] for part in NOT_ALONE)
        wrong_store = MODE == "vault" and "managedhsm" in json.dumps(response)
        if not alone or wrong_store:
            counts["skipped"] += 1
            continue
        url = VAULT + request["path"] + "?api-version=7.4"
        body = request["body"]
        compare(f"errors: {request['method']} {request['path']}", response, send(request["method"], url, body, TOKEN), True)


def replay_signatures():
    made = {}
    for entry in json.load(open(VECTORS + "/signatures.json")):
        key, request = entry["key"], entry["request"]
        if entry["store"] != STORE:
            continue
        size = len(key.get("n", "")) * 6 // 8 // 128 * 1024
        same = (key["kty"], size, key.get("crv"))
        if same not in made:
            name = f"replay-{len(made)}"
            body = {"kty": key["kty"], "key_size": size} if size else {"kty": key["kty"], "crv": key["crv"]}
            made[same] = send("POST", f"{VAULT}/keys/{name}/create?api-version=7.4", body, TOKEN)[2]["key"]["kid"]
        got = send("POST", made[same] + "/sign?api-version=7.4", request, TOKEN)
        compare(f"signatures: {request['alg']} {same}", {"status": 200, "headers": {}, "body": entry["response"]}, got, True)
        if got[0] == 200 and len(got[2]["value"]) != len(entry["response"]["value"]):
            counts["differ"] += 1
            print(f"signatures: {request['alg']} {same}: {len(got[2]['value'])} characters, not {len(entry['response']['value'])}")


def login_answer(exchange):
    """Our own request of the recorded kind: theirs lost its secrets."""
    request, body = exchange["request"], exchange["response"]["body"]
    tenant, authority = os.environ["TENANT"], os.environ["AUTHORITY"]
    if exchange["store"] == "identity":
        return send("GET", os.environ["IDENTITY"] + request["path"] + "?" + request["query"], headers={"Metadata": "true"})
    if body.get("error_codes") == [90002]:
        return send("GET", f"{authority}/{'0' * 8}-0000-4000-8000-{'0' * 12}/v2.0/.well-known/openid-configuration")
    if request["method"] == "GET":
        path = request["path"]
        if path.endswith("openid-configuration"):
            path = f"/{tenant}/v2.0/.well-known/openid-configuration"
        return send("GET", authority + path)
    if exchange["response"]["status"] == 200:
        return get_token()
    if body.get("error_codes") == [7000215]:
        return get_token(client_secret="wrong")
    if body.get("error_codes") == [700027]:
        parts = [json.dumps(part).encode() for part in ({"alg": "PS256", "x5t": "AAAA"}, {"aud": "x"})]
        assertion = ".".join(__import__("base64").urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + ".AAAA"
        return get_token(client_secret=None, client_assertion=assertion,
                         client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    return None


def replay_logins():
    for entry in json.load(open(VECTORS + "/exchanges/auth/entra-tokens.json")):
        exchange = entry["exchange"]
        got = login_answer(exchange)
        if got is None:
            counts["skipped"] += 1
            continue
        response = dict(exchange["response"])
        response["body"].pop("kerberos_endpoint", None)  # recorded once only
        compare(f"login: {exchange['request']['path']} {response['status']}", response, got, True)


replay_errors()
for path in sorted(glob.glob(VECTORS + "/exchanges/keys/*.json") + glob.glob(VECTORS + "/exchanges/certificates/*.json") +
                   glob.glob(VECTORS + "/exchanges/admin/*.json")):
    if not os.path.basename(path).startswith("paging"):  # parts of other files
        replay(os.path.basename(path)[:-5], json.load(open(path))["exchanges"])
replay_signatures()
if MODE == "vault":
    replay_logins()
print(f"{MODE}: {counts['compared']} answers compared, {counts['differ']} differ, {counts['skipped']} requests skipped; "
      f"{counts['same texts']} of {counts['texts']} error texts are the same")
sys.exit(counts["differ"] > 0 or counts["compared"] < 40)
