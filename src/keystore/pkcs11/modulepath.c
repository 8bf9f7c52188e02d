#include "keystore/pkcs11/modulepath.h"

#include <dlfcn.h>
#include <link.h>
#include <p11-kit/p11-kit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

enum { NAMES = 3 };

struct search {
    struct writer tried;
    char *found; /* NULL: not yet */
};

static void search_free(struct search *s)
{
    writer_free(&s->tried);
    free(s->found);
}
AUTO_KIND(search, struct search, search_free(p))

static bool found(struct search *s, const char *path)
{
    struct stat info;

    writer_format(&s->tried, "%s'%s'", s->tried.buf.size ? ", " : "", path);
    if (stat(path, &info) || !S_ISREG(info.st_mode))
        return false;
    s->found = realpath(path, NULL);
    return s->found != NULL;
}

static char *join(const char *a, const char *b, const char *c)
{
    char *text;

    return asprintf(&text, "%s%s%s", a, b, c) < 0 ? NULL : text;
}

static bool found_in_folder(struct search *s, const char *name)
{
    char *path = join(P11_MODULE_PATH, "/", name);
    bool is;

    if (!path)
        return !(s->tried.failed = true);
    is = found(s, path);
    free(path);
    return is;
}

/* Only the loader knows its path (ld.so.cache, LD_LIBRARY_PATH): let it load the library and say
 * from where. */
static bool found_by_loader(struct search *s, const char *name)
{
    void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    struct link_map *map = NULL;

    writer_format(&s->tried, "%s'%s' on the loader's path", s->tried.buf.size ? ", " : "", name);
    if (!handle)
        return false;
    if (!dlinfo(handle, RTLD_DI_LINKMAP, &map) && map)
        s->found = realpath(map->l_name, NULL);
    dlclose(handle);
    return s->found != NULL;
}

/* What p11-kit's own configuration calls a module (module-name of a URI): "softhsm2" for
 * softhsm2.module. */
static bool found_in_configuration(struct search *s, const char *name)
{
    CK_FUNCTION_LIST **modules = p11_kit_modules_load(NULL, 0);

    writer_format(&s->tried, ", '%s' in p11-kit's configuration", name);
    for (size_t i = 0; modules && modules[i] && !s->found; i++) {
        char *called = p11_kit_module_get_name(modules[i]),
             *file = p11_kit_module_get_filename(modules[i]);

        if (called && file && strcmp(called, name) == 0)
            s->found = realpath(file, NULL);
        free(called);
        free(file);
    }
    if (modules)
        p11_kit_modules_release(modules);
    return s->found != NULL;
}

static bool has_extension(const char *name)
{
    const char *dot = strstr(name, ".so");

    return dot && (dot[3] == '\0' || dot[3] == '.');
}

/* The file names that `name` may stand for: itself, with ".so", with "lib" and ".so"; false: out of
 * memory. */
static bool spell(char *names[NAMES], const char *name)
{
    if (!(names[0] = strdup(name)) || has_extension(name))
        return names[0] != NULL;
    return (names[1] = join("", name, ".so")) && (names[2] = join("lib", name, ".so"));
}

static void look(struct search *s, char *const names[NAMES], bool bare)
{
    if (!bare) {
        if (!found(s, names[0]) && names[1])
            (void)found(s, names[1]);
        return;
    }
    for (int i = 0; i < NAMES && names[i]; i++)
        if (found_in_folder(s, names[i]))
            return;
    for (int i = 0; i < NAMES && names[i]; i++)
        if (found_by_loader(s, names[i]))
            return;
    (void)found_in_configuration(s, names[0]);
}

se_status module_path(char **out, const char *location, se_error *err)
{
    AUTO(search) s = { 0 };
    char *names[NAMES] = { NULL };
    bool ok;

    *out = NULL;
    if (!*location)
        return error_set(err, SE_ERR_STORE, "no PKCS #11 module is named (locationValue)");
    if ((ok = spell(names, location)))
        look(&s, names, !strchr(location, '/'));
    for (int i = 0; i < NAMES; i++)
        free(names[i]);
    if (!ok || s.tried.failed)
        return error_memory(err);
    if (!s.found)
        return error_set(err, SE_ERR_STORE, "no PKCS #11 module '%s'%s: tried %s", location,
                         file_hint(location), writer_string(&s.tried));
    *out = s.found;
    s.found = NULL;
    return SE_OK;
}
