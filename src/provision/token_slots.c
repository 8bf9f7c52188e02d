#include "provision/token_slots.h"

void report_slot(const struct provision_report *report, const struct slot *slot)
{
    report->slot(report->arg, &(struct slot_row){
                                  .slot = slot->id,
                                  .label = slot->label,
                                  .model = slot->model,
                                  .serial = slot->serial,
                                  .initialised = slot_initialised(slot),
                                  .user_pin = slot->flags & CKF_USER_PIN_INITIALIZED,
                                  .pin_locked = slot->flags & CKF_USER_PIN_LOCKED,
                              });
}

static bool names_one(const struct keyref *ref)
{
    return ref->has_slot || ref->has_slot_index || *ref->token_label || *ref->token_serial ||
           *ref->alias;
}

se_status token_slots(bool *chosen, const struct target *target,
                      const struct provision_report *report, se_error *err)
{
    AUTO(module) module = NULL;
    AUTO(slots) slots = { .count = 0 };
    size_t usable = 0;

    TRY(module_open(&module, target->ref.location, target->ref.init_args, err));
    TRY(slots_load(&slots, module, err));
    for (size_t i = 0; i < slots.count; i++) {
        report_slot(report, &slots.list[i]);
        usable += slot_initialised(&slots.list[i]);
    }
    *chosen = names_one(&target->ref) || usable == 1;
    return SE_OK;
}
