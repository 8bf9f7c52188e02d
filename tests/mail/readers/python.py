# SPDX-License-Identifier: Apache-2.0
"""What Python's email package and GMime make of messages: files on standard input, a line of JSON for each."""
import email
import email.policy
import email.utils
import json
import sys

from gmime import GMime


def by_python(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    try:
        sender = message["From"]
    except AttributeError as error:  # a fault of Python 3.11: a name that ends in a dot, with "<" right behind it, as "John D.<"
        if "token_type" not in str(error):
            raise
        senders = email.utils.getaddresses(email.message_from_bytes(data).get_all("From"))
        return [address for _, address in senders], [message.get_body(("plain", "html")).get_content()]
    body = message.get_body(("plain", "html"))
    return [a.addr_spec for a in sender.addresses] if sender else [], [body.get_content()] if body else []


class Reader(GMime):
    def read(self, data):
        message = self.parse(data)
        senders = self.call("g_mime_message_get_from", message)
        texts = []
        self.walk(self.call("g_mime_message_get_body", message), texts)
        names = []
        for i in range(self.call("internet_address_list_length", senders)):
            one = self.call("internet_address_list_get_address", senders, i)
            address = self.call("internet_address_mailbox_get_addr", one) if self.is_a(one, "internet_address_mailbox") else b"a group"
            names.append((address or b"").decode("utf-8", "replace"))
        return names, texts

    def walk(self, part, texts):
        if part and self.is_a(part, "g_mime_multipart"):
            for one in self.parts_of(part):
                self.walk(one, texts)
        elif part and self.is_a(part, "g_mime_text_part"):
            texts.append((self.call("g_mime_text_part_get_text", part) or b"").decode("utf-8", "replace"))


def main():
    judges = {"python": by_python, "gmime": Reader().read}
    for name in sys.stdin.read().split():
        with open(name, "rb") as file:
            data = file.read()
        for judge, read in judges.items():
            try:
                senders, texts = read(data)
            except Exception as error:  # a reader that fails shows nothing
                senders, texts = [], ["error: %r" % error]
            print(json.dumps({"judge": judge, "message": name, "from": senders, "texts": texts}))


main()
