"""What Python's email package and GMime make of messages: files on standard input, a line of JSON for each."""
import ctypes
import email
import email.policy
import json
import sys


def by_python(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    sender = message["From"]
    body = message.get_body(("plain", "html"))
    return [a.addr_spec for a in sender.addresses] if sender else [], [body.get_content()] if body else []


class GMime:
    def __init__(self):
        self.library = ctypes.CDLL("libgmime-3.0.so.0")
        for name in ("g_mime_stream_mem_new_with_buffer", "g_mime_parser_new_with_stream", "g_mime_parser_construct_message",
                     "g_mime_message_get_from", "g_mime_message_get_body", "g_mime_text_part_get_text", "internet_address_list_get_address",
                     "internet_address_mailbox_get_addr"):
            getattr(self.library, name).restype = ctypes.c_void_p
        self.library.g_mime_text_part_get_text.restype = self.library.internet_address_mailbox_get_addr.restype = ctypes.c_char_p
        self.library.g_mime_init()

    def call(self, name, *arguments):
        return getattr(self.library, name)(*[ctypes.c_void_p(a) if isinstance(a, int) and a > 1 << 16 else a for a in arguments])

    def read(self, data):
        stream = self.call("g_mime_stream_mem_new_with_buffer", data, ctypes.c_size_t(len(data)))
        parser = self.call("g_mime_parser_new_with_stream", stream)
        message = self.call("g_mime_parser_construct_message", parser, None)
        senders = self.call("g_mime_message_get_from", message)
        texts = []
        self.walk(self.call("g_mime_message_get_body", message), texts)
        names = []
        for i in range(self.call("internet_address_list_length", senders)):
            one = self.call("internet_address_list_get_address", senders, i)
            address = self.call("internet_address_mailbox_get_addr", one) if self.is_a(one, "internet_address_mailbox") else b"a group"
            names.append((address or b"").decode("utf-8", "replace"))
        return names, texts

    def is_a(self, instance, kind):
        get_type = getattr(self.library, kind + "_get_type")
        get_type.restype = ctypes.c_size_t
        check = self.library.g_type_check_instance_is_a
        return bool(check(ctypes.c_void_p(instance), ctypes.c_size_t(get_type())))

    def walk(self, part, texts):
        if not part:
            return
        if self.is_a(part, "g_mime_multipart"):
            self.library.g_mime_multipart_get_part.restype = ctypes.c_void_p
            for i in range(self.call("g_mime_multipart_get_count", part)):
                self.walk(self.call("g_mime_multipart_get_part", part, i), texts)
        elif self.is_a(part, "g_mime_text_part"):
            texts.append((self.call("g_mime_text_part_get_text", part) or b"").decode("utf-8", "replace"))


def main():
    judges = {"python": by_python, "gmime": GMime().read}
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
