/* SPDX-License-Identifier: Apache-2.0 */
/* The shim is what other tests and measurements stand on: its latencies, its answers from memory,
 * its file. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/token/fixture.h"
#include "tests/token/judge.h"

enum { SIZE = 64, CALLS = 50 };

static CK_FUNCTION_LIST *module;
static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE ec, rsa;
static CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 };

static void write_faults(const char *text)
{
    FILE *f = fopen(file_of("faults.new"), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(file_of("faults.new"), file_of("faults")), 0);
    usleep(20000); /* it is looked at every 10 ms */
}

static CK_OBJECT_HANDLE find(const char *label)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof class },
                                { CKA_LABEL, (void *)label, strlen(label) } };
    CK_OBJECT_HANDLE key;
    CK_ULONG n;

    assert_int_equal(module->C_FindObjectsInit(session, template, 2), CKR_OK);
    assert_int_equal(module->C_FindObjects(session, &key, 1, &n), CKR_OK);
    assert_int_equal(module->C_FindObjectsFinal(session), CKR_OK);
    assert_int_equal(n, 1);
    return key;
}

static int fill(void **state)
{
    CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    void *handle;

    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "ec", "ec:P-256", "01");
    put_pair("lab", "rsa", "rsa:2048", "02");
    write_faults("");
    setenv("SHIM_FILE", file_of("faults"), 1);
    assert_non_null(handle = dlopen(shim_path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
    assert_int_equal(((CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList"))(&module), CKR_OK);
    dlclose(handle);
    assert_int_equal(module->C_Initialize(&args), CKR_OK);
    assert_int_equal(module->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_int_equal(module->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session),
                     CKR_OK);
    assert_int_equal(module->C_Login(session, CKU_USER, (CK_BYTE *)PIN, strlen(PIN)), CKR_OK);
    ec = find("ec");
    rsa = find("rsa");
    return 0;
}

static int drop(void **state)
{
    assert_int_equal(module->C_Finalize(NULL), CKR_OK);
    return fixture_drop(state);
}

/* ECDSA signatures of the same hash differ, but for those from memory. */
static void sign(CK_BYTE signature[SIZE], CK_BYTE what)
{
    CK_BYTE hash[32] = { what };
    CK_ULONG size = SIZE;

    assert_int_equal(module->C_SignInit(session, &ecdsa, ec), CKR_OK);
    assert_int_equal(module->C_Sign(session, hash, sizeof hash, signature, &size), CKR_OK);
    assert_int_equal(size, SIZE);
}

static double clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median, because other programs are there too. */
static void a_latency_is_exact(void **state)
{
    const char *slow = getenv("MEMCHECK");
    double took[CALLS];
    CK_BYTE signature[SIZE];

    (void)state;
    write_faults("replay\nC_Sign latency 3.5\n");
    for (size_t i = 0; i < CALLS; i++) {
        double begun = clock_ms();

        sign(signature, 1);
        took[i] = clock_ms() - begun;
        assert_true(took[i] >= 3.5);
    }
    qsort(took, CALLS, sizeof *took, by_size);
    print_message("3.5 ms: median %.3f, longest %.3f\n", took[CALLS / 2], took[CALLS - 1]);
    assert_true(took[CALLS / 2] < (slow && *slow ? 35 : 4.5));
    write_faults("C_Sign latency 10\nC_Sign at 2 latency 20");
    sign(signature, 1);
    took[0] = clock_ms();
    sign(signature, 1);
    took[1] = clock_ms();
    assert_true(took[1] - took[0] >= 30);
}

static void what_was_signed_before_comes_from_memory(void **state)
{
    CK_BYTE first[SIZE], second[SIZE];

    (void)state;
    write_faults("replay");
    sign(first, 1);
    sign(second, 1);
    assert_memory_equal(first, second, SIZE);
    sign(second, 2);
    assert_memory_not_equal(first, second, SIZE);
    sign(second, 1);
    assert_memory_equal(first, second, SIZE);
    write_faults("");
    sign(second, 1);
    assert_memory_not_equal(first, second, SIZE);
}

static void memory_keeps_the_rules_of_the_standard(void **state)
{
    CK_BYTE hash[32] = { 7 }, signature[SIZE], again[SIZE];
    CK_ULONG size = 0;

    (void)state;
    write_faults("replay");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(module->C_SignInit(session, &ecdsa, ec), CKR_OK);
        assert_int_equal(module->C_Sign(session, hash, sizeof hash, NULL, &size), CKR_OK);
        assert_int_equal(size, SIZE);
        size = SIZE - 1;
        assert_int_equal(module->C_Sign(session, hash, sizeof hash, signature, &size),
                         CKR_BUFFER_TOO_SMALL);
        assert_int_equal(size, SIZE);
        assert_int_equal(module->C_Sign(session, hash, sizeof hash, signature, &size), CKR_OK);
        assert_int_equal(module->C_Sign(session, hash, sizeof hash, signature, &size),
                         CKR_OPERATION_NOT_INITIALIZED);
    }
    sign(again, 7);
    assert_memory_equal(signature, again, SIZE);
}

static void operations_in_parts_go_to_the_module(void **state)
{
    CK_MECHANISM mechanism = { CKM_SHA256_RSA_PKCS, NULL, 0 };
    CK_BYTE data[10] = { 1 }, parts[256], whole[256];
    CK_ULONG size = sizeof parts;

    (void)state;
    write_faults("replay\nC_SignFinal latency 5");
    assert_int_equal(module->C_SignInit(session, &mechanism, rsa), CKR_OK);
    assert_int_equal(module->C_SignUpdate(session, data, 5), CKR_OK);
    assert_int_equal(module->C_SignUpdate(session, data + 5, 5), CKR_OK);
    assert_int_equal(module->C_SignFinal(session, parts, &size), CKR_OK);
    assert_int_equal(module->C_SignInit(session, &mechanism, rsa), CKR_OK);
    assert_int_equal(module->C_Sign(session, data, 10, whole, &size), CKR_OK);
    assert_memory_equal(parts, whole, sizeof whole);
}

/* The parameters are part of the question; what fails is not remembered. */
static void decryptions_come_from_memory(void **state)
{
    CK_RSA_PKCS_OAEP_PARAMS sha1 = { CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0 },
                            sha256 = sha1;
    CK_MECHANISM good = { CKM_RSA_PKCS_OAEP, &sha1, sizeof sha1 },
                 bad = { CKM_RSA_PKCS_OAEP, &sha256, sizeof sha256 };
    AUTO(se_buf) blob = SE_BUF_INIT;
    CK_BYTE out[256];

    (void)state;
    sha256.hashAlg = CKM_SHA256; /* SoftHSM has it not */
    encrypts(&blob, "rsa", &(struct unwrap_how){ DIGEST_SHA1, DIGEST_SHA1 }, "");
    write_faults("replay");
    for (int i = 0; i < 3; i++) {
        CK_ULONG size = sizeof out;

        assert_int_equal(module->C_DecryptInit(session, &good, rsa), CKR_OK);
        assert_int_equal(module->C_Decrypt(session, blob.data, blob.size, out, &size), CKR_OK);
        assert_int_equal(size, strlen(clear_text));
        assert_memory_equal(out, clear_text, size);
        assert_int_equal(module->C_DecryptInit(session, &bad, rsa), CKR_OK);
        assert_int_equal(module->C_Decrypt(session, blob.data, blob.size, out, &size),
                         CKR_ARGUMENTS_BAD);
    }
}

static void faults_are_counted_from_when_the_file_was_read(void **state)
{
    CK_BYTE hash[32] = { 1 }, signature[SIZE];
    CK_ULONG size = SIZE;

    (void)state;
    for (int i = 0; i < 2; i++) {
        write_faults(i ? "C_Sign at 2 times 2 answer CKR_DEVICE_ERROR # as before"
                       : "C_Sign at 2 times 2 answer 0x30");
        sign(signature, 1);
        for (int n = 0; n < 2; n++) {
            assert_int_equal(module->C_SignInit(session, &ecdsa, ec), CKR_OK);
            assert_int_equal(module->C_Sign(session, hash, sizeof hash, signature, &size),
                             CKR_DEVICE_ERROR);
        }
        sign(signature, 1);
    }
    write_faults("CKM_ECDSA refuse CKR_MECHANISM_INVALID\nC_Sign after 1 answer CKR_DEVICE_ERROR");
    assert_int_equal(module->C_SignInit(session, &ecdsa, ec), CKR_MECHANISM_INVALID);
    write_faults("");
}

/* Those that are open, not those that were opened; what is lost counts no more. */
static void sessions_are_limited(void **state)
{
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE more[3];

    (void)state;
    assert_int_equal(module->C_GetSessionInfo(session, &info), CKR_OK);
    write_faults("sessions 3");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(
            module->C_OpenSession(info.slotID, CKF_SERIAL_SESSION, NULL, NULL, &more[0]), CKR_OK);
        assert_int_equal(
            module->C_OpenSession(info.slotID, CKF_SERIAL_SESSION, NULL, NULL, &more[1]), CKR_OK);
        assert_int_equal(
            module->C_OpenSession(info.slotID, CKF_SERIAL_SESSION, NULL, NULL, &more[2]),
            CKR_SESSION_COUNT);
        assert_int_equal(module->C_CloseSession(more[0]), CKR_OK);
        assert_int_equal(module->C_CloseSession(more[1]), CKR_OK);
    }
    write_faults("sessions 1\nC_GetSessionInfo lose sessions");
    assert_int_equal(module->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
    assert_int_equal(module->C_OpenSession(info.slotID, CKF_SERIAL_SESSION, NULL, NULL, &session),
                     CKR_OK);
    write_faults("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_latency_is_exact),
        cmocka_unit_test(what_was_signed_before_comes_from_memory),
        cmocka_unit_test(memory_keeps_the_rules_of_the_standard),
        cmocka_unit_test(operations_in_parts_go_to_the_module),
        cmocka_unit_test(decryptions_come_from_memory),
        cmocka_unit_test(faults_are_counted_from_when_the_file_was_read),
        cmocka_unit_test(sessions_are_limited),
    };

    return cmocka_run_group_tests(tests, fill, drop);
}
