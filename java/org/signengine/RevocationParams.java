// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import java.nio.file.Path;

/** How it is found out whether certificates were revoked: se_revocation_params. */
public final class RevocationParams extends Params<RevocationParams> {
    public RevocationParams() {
        super("se_revocation_params");
    }

    /** A file of CRLs, or a folder of such files. */
    public RevocationParams crls(Path crls) {
        return put("crls", crls);
    }

    /** In seconds. */
    public RevocationParams maxAge(long maxAge) {
        return put("max_age", maxAge);
    }

    public RevocationParams required(boolean required) {
        return put("required", required);
    }

    public RevocationParams stampsOutliveCompromise(boolean outlive) {
        return put("stamps_outlive_compromise", outlive);
    }

    public RevocationParams askResponders(boolean ask) {
        return put("ask_responders", ask);
    }

    public RevocationParams fetchCrls(boolean fetch) {
        return put("fetch_crls", fetch);
    }
}
