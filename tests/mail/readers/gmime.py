# SPDX-License-Identifier: Apache-2.0
"""GMime, by ctypes: what it makes of messages."""
import ctypes

POINTERS = ("g_mime_stream_mem_new_with_buffer", "g_mime_stream_mem_new", "g_mime_stream_mem_get_byte_array", "g_mime_parser_new_with_stream",
            "g_mime_parser_construct_message", "g_mime_message_get_from", "g_mime_message_get_body", "g_mime_message_get_mime_part",
            "g_mime_message_part_get_message", "g_mime_multipart_get_part", "g_mime_part_get_content", "g_mime_object_get_content_type",
            "internet_address_list_get_address")
TEXTS = ("g_mime_text_part_get_text", "g_mime_part_get_filename", "g_mime_object_get_content_id", "g_mime_content_type_get_mime_type",
         "internet_address_mailbox_get_addr")


class ByteArray(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


class GMime:
    def __init__(self):
        self.library = ctypes.CDLL("libgmime-3.0.so.0")
        for name in POINTERS:
            getattr(self.library, name).restype = ctypes.c_void_p
        for name in TEXTS:
            getattr(self.library, name).restype = ctypes.c_char_p
        self.library.g_mime_init()

    def call(self, name, *arguments):
        return getattr(self.library, name)(*[ctypes.c_void_p(a) if isinstance(a, int) and a > 1 << 16 else a for a in arguments])

    def parse(self, data):
        stream = self.call("g_mime_stream_mem_new_with_buffer", data, ctypes.c_size_t(len(data)))
        return self.call("g_mime_parser_construct_message", self.call("g_mime_parser_new_with_stream", stream), None)

    def is_a(self, instance, kind):
        get_type = getattr(self.library, kind + "_get_type")
        get_type.restype = ctypes.c_size_t
        check = self.library.g_type_check_instance_is_a
        return bool(check(ctypes.c_void_p(instance), ctypes.c_size_t(get_type())))

    def parts_of(self, multipart):
        return [self.call("g_mime_multipart_get_part", multipart, i) for i in range(self.call("g_mime_multipart_get_count", multipart))]

    def content_of(self, part):
        """The bytes of a part, decoded."""
        content = self.call("g_mime_part_get_content", part)
        if not content:
            return b""
        stream = self.call("g_mime_stream_mem_new")
        self.call("g_mime_data_wrapper_write_to_stream", content, stream)
        array = ByteArray.from_address(self.call("g_mime_stream_mem_get_byte_array", stream))
        return ctypes.string_at(array.data, array.size) if array.size else b""
