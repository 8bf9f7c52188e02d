// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The structs of signengine.h, signengine-history.h and signengine-mail.h, and which record is which. */
final class Structs {
    static final Map<String, Struct> ALL = new LinkedHashMap<>();
    private static final Map<Class<?>, Struct.Reader<?>> READERS = new ConcurrentHashMap<>();

    private Structs() {
    }

    static Struct of(String name) {
        return ALL.get(name);
    }

    @SuppressWarnings("unchecked")
    static <T> Struct.Reader<T> reader(Class<T> type) {
        Struct.Reader<?> reader = READERS.get(type);
        if (reader == null) {
            reader = new Struct.Reader<>(type, of(nameOf(type)));
            READERS.put(type, reader);
        }
        return (Struct.Reader<T>) reader;
    }

    static String nameOf(Class<?> type) {
        if (type == History.Finding.class)
            return "se_finding";
        Class<?> outer = type.getEnclosingClass();
        String name = type == Mail.Result.class ? "Mail" : (outer == null ? "" : outer.getSimpleName()) + type.getSimpleName();
        return "se" + name.replaceAll("([A-Z])", "_$1").toLowerCase(java.util.Locale.ROOT);
    }

    private static void struct(String name, String members) {
        ALL.put(name, new Struct(name, members));
    }

    static {
        struct("se_bytes", "data:pointer size:ulong");
        struct("se_buf", "data:pointer size:ulong");
        struct("se_pair", "name:content value:content");
        struct("se_error", "status:int line:int file:text text:1000");
        struct("se_source", "read:pointer arg:pointer total:ulong");
        struct("se_sink", "write:pointer arg:pointer");
        struct("se_field", "in:content context:content out:buf status:int kept:bool");
        struct("se_jws", "in:content payload:content out:buf status:int version:unsigned");
        struct("se_record", "object:content payload:content");
        struct("se_evidence_file", "name:text in:pointer");
        struct("se_evidence", "files:pointer count:ulong der:bytes made:buf");

        // what is told
        struct("se_report", "error:bool file:text line:int text:text");
        struct("se_check_finding", "level:int kind:text subject:text date:long text:text");
        struct("se_check_row", """
                descriptor:text version:unsigned key:text store:text algorithm:text key_type:text subject:text not_after:long days_left:int
                mechanism:text status:int warning:bool text:text findings:pointer finding_count:ulong state:int from:long until:long
                may_leave:text""");
        struct("se_signer", """
                version:unsigned algorithm:40 subject:256 issuer:256 serial:64 signing_time:long not_after:long address:320 stamp_time:long
                stamp_authority:256 stamp_ignored:256 key:256 alias:256 key_type:32 digest:16 stamp_accuracy_us:long revocation:int
                revocation_source:int revocation_teller:256 revocation_update:long revocation_note:256""");
        struct("se_zip_entry", "name:text size:ulong state:int good:bool");
        struct("se_evidence_stamp", "tree:unsigned digest:text time:long accuracy_us:long authority:text not_after:long");
        struct("se_access_who", "user:text group:text subject:text issuer:text san:text sha256:text");
        struct("se_access_what", "descriptor:text version:unsigned history:text");
        struct("se_access_row", """
                number:unsigned line:int name:text operations:pointer operation_count:ulong who:pointer who_count:ulong
                what:pointer what_count:ulong per_minute:unsigned version:unsigned""");
        struct("se_event", """
                kind:int key:text replica:unsigned status:int text:text operation:text descriptor:text version:unsigned bytes:ulong
                duration_us:ulong request_sent:text request_answered:text items:ulong failed:ulong digest:text tag:text
                sessions:unsigned""");
        struct("se_history_chain", "name:text first:ulong last:ulong seals:ulong damaged:bool");
        struct("se_history_seals", """
                chain:text descriptor:text version:unsigned first:ulong last:ulong vouched:bool first_us:long last_us:long""");
        struct("se_history_appended", "first:ulong count:ulong repeated:bool");
        struct("se_finding", "kind:int first:ulong last:ulong seal:ulong text:text");
        struct("se_history_report", "first:ulong entries:ulong erased:ulong seals:ulong findings:ulong pruned:bool closed:bool");
        struct("se_history_entry", """
                seq:ulong time_us:long object:content payload:content salt:content erased:bool commitment:content""");
        struct("se_history_proof", """
                chain:65 seq:ulong size:ulong time_us:long sealed_us:long object:buf payload:buf erased:bool signer:se_signer
                fingerprint:65""");
        struct("se_mail", "signer:se_signer passed:bool opaque:bool nested:bool protect:bool changed:256 encrypted:bool");

        // what is asked
        struct("se_options", """
                size:ulong report:pointer report_arg:pointer pin_key:text event:pointer event_arg:pointer trust_config:text watch:bool
                follows:pointer config_revocation:pointer""");
        struct("se_check_options", "size:ulong probe:bool days:int");
        struct("se_revocation_params", """
                size:ulong crls:text max_age:long required:bool stamps_outlive_compromise:bool ask_responders:bool fetch_crls:bool""");
        struct("se_sign_params", """
                size:ulong version:unsigned form:int pem:bool time:long tsa:text purpose:int addresses:pointer address_count:ulong
                xml_id:text xml_uri:text xml_inclusive:bool progress:pointer progress_arg:pointer digest:bytes tag:text begun:long
                least:unsigned at_any_time:bool tsa_policy:text""");
        struct("se_verify_params", """
                size:ulong version:unsigned form:int signature:bytes later:pointer time:long trust:text accept:int trust_tsa:text
                purpose:int addresses:pointer address_count:ulong xml_id:text xml_uri:text content:pointer progress:pointer
                progress_arg:pointer digest:bytes tag:text revocation:pointer""");
        struct("se_config_verify_params", "size:ulong time:long revocation:pointer");
        struct("se_jws_sign_params", """
                size:ulong version:unsigned form:int detached:bool unencoded:bool certificates:bool type:text key_id:text headers:pointer
                header_count:ulong tag:text""");
        struct("se_jws_verify_params", """
                size:ulong version:unsigned payload:content any:bool type:text key_id:text time:long signer:pointer tag:text
                revocation:pointer""");
        struct("se_jwt_sign_params", """
                size:ulong version:unsigned certificates:bool type:text key_id:text issuer:text subject:text audiences:pointer
                audience_count:ulong lifetime:long not_before:long make_id:bool no_expiry:bool tag:text""");
        struct("se_jwt_verify_params", """
                size:ulong version:unsigned type:text key_id:text issuer:text subject:text id:text audiences:pointer audience_count:ulong
                leeway:unsigned no_expiry:bool time:long leeway_used:pointer signer:pointer tag:text revocation:pointer""");
        struct("se_jwks_params", "size:ulong version:unsigned current:bool");
        struct("se_field_params", "size:ulong version:unsigned binary:bool context:content tag:text at_any_time:bool threads:unsigned");
        struct("se_container_params", """
                size:ulong version:unsigned context:content progress:pointer progress_arg:pointer tag:text at_any_time:bool""");
        struct("se_zip_sign_params", """
                size:ulong version:unsigned time:long keep:bool signature_name:text tsa:text encrypt:text encrypt_version:unsigned
                context:content threads:unsigned max_entries:ulong max_total:ulong max_ratio:ulong progress:pointer progress_arg:pointer
                tag:text at_any_time:bool tsa_policy:text""");
        struct("se_zip_verify_params", """
                size:ulong time:long trust:text issuers:bool trust_tsa:text threads:unsigned max_entries:ulong max_total:ulong
                max_ratio:ulong signature:pointer entry:pointer report_arg:pointer progress:pointer progress_arg:pointer tag:text
                version:unsigned revocation:pointer""");
        struct("se_evidence_verify_params", "size:ulong trust_tsa:text time:long revocation:pointer partial:bool");
        struct("se_evidence_params", "size:ulong tsa:text tsa_policy:text digest:text");
        struct("se_caller", "size:ulong has_uid:bool uid:unsigned gids:pointer gid_count:ulong certificate:bytes issuer:bytes");
        struct("se_use", "size:ulong operation:text descriptor:text version:unsigned history:text");
        struct("se_history_options", """
                size:ulong chain:text descriptor:text inspect:bool progress:pointer progress_arg:pointer dry_run:bool""");
        struct("se_history_append_params", "size:ulong idempotency_key:text caller:text");
        struct("se_history_verify_options", """
                size:ulong finding:pointer finding_arg:pointer head:bytes months:unsigned threads:unsigned""");
        struct("se_history_range", "size:ulong first:ulong last:ulong from:long to:long object:bytes unverified:bool");
        struct("se_mail_sign_params", """
                size:ulong version:unsigned time:long sender:text opaque:bool protect:bool again:bool progress:pointer progress_arg:pointer
                tag:text at_any_time:bool tsa:text tsa_policy:text""");
        struct("se_mail_verify_params", """
                size:ulong version:unsigned time:long sender:text trust:text trust_tsa:text content:pointer header:pointer outside:bytes
                progress:pointer progress_arg:pointer tag:text revocation:pointer""");
    }
}
