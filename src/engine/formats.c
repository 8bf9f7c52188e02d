#include "crypto/signature.h"

#include "cms/cms.h"
#include "crypto/raw_signature.h"
#include "xmldsig/xmldsig.h"

/* The only place that knows all formats. */
static const struct signature_format formats[] = {
    [SE_FORM_DETACHED] = { "CMS", cms_sign_detached, cms_verify_detached },
    [SE_FORM_ATTACHED] = { "CMS with content", cms_sign_attached, cms_verify_attached },
    [SE_FORM_RAW] = { "raw", raw_sign, raw_verify },
    [SE_FORM_XML] = { "XML", xmldsig_sign_enveloped, xmldsig_verify },
    [SE_FORM_XML_ENVELOPING] = { "enveloping XML", xmldsig_sign_enveloping, xmldsig_verify },
    [SE_FORM_XML_DETACHED] = { "detached XML", xmldsig_sign_detached, xmldsig_verify_detached },
};

const struct signature_format *signature_format_find(se_form form)
{
    return (size_t)form < sizeof formats / sizeof *formats ? &formats[form] : NULL;
}

void verdict_free(struct verdict *verdict)
{
    X509_free(verdict->certificate);
    *verdict = (struct verdict){ .certificate = NULL };
}
