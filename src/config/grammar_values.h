/* SPDX-License-Identifier: Apache-2.0 */
/* The values of attributes: what grammar.c names as attribute_rule.parse. */
#ifndef CONFIG_GRAMMAR_VALUES_H
#define CONFIG_GRAMMAR_VALUES_H

#include "config/element.h"

se_status parse_api_version(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_bits(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_certificate(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_credential(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_deadline(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_failback(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_fingerprint(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_history(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_id(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_iv(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_key_version(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_mgf1(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_mode(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_number(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_origin(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_proxy(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_result(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_san(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_signs(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_store(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_tenant(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_time(void *out, const char *value, const struct attribute_rule *rule);
se_status parse_unsigned(void *out, const char *value, const struct attribute_rule *rule);

#endif
