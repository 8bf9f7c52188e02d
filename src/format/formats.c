#include "format/format.h"

#include "format/cms.h"
#include "format/raw.h"

/* The only place that knows all formats. */
static const struct format formats[] = {
    [SE_FORM_DETACHED] = { "CMS", cms_sign_detached, cms_verify_detached },
    [SE_FORM_ATTACHED] = { "CMS with content", cms_sign_attached, cms_verify_attached },
    [SE_FORM_RAW] = { "raw", raw_sign, raw_verify },
};

const struct format *format_find(se_form form)
{
    return (size_t)form < sizeof formats / sizeof *formats ? &formats[form] : NULL;
}

void verdict_free(struct verdict *verdict)
{
    X509_free(verdict->certificate);
    *verdict = (struct verdict){ .certificate = NULL };
}
