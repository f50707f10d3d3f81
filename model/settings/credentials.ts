import { z } from "zod";
import { dataKey, form, objectName } from "./forms";

/** Secrets that others have, as files of those components that name them: their schema. */

/** Where the files are, in every container that has some: one path for Prometheus and rulers, which send alerts with the same client. */
export const CREDENTIALS_DIRECTORY = "/etc/credentials";

/** Form of a credential's name, in the words of messages. */
export const CREDENTIAL_NAME_FORM = "a file's name of at most 253 letters, digits, '.', '_' and '-', with a letter or digit first";
/** Form of a credential's name. */
export const CREDENTIAL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/;

/** Whether a text is a credential's name: of a file, and of a key in a Secret (apimachinery `IsConfigMapKey`). */
export const isCredentialName = (text: string): boolean => CREDENTIAL_NAME.test(text);

/** Schema of `credentialsFrom`. */
export const credentialsFromSettings = z
  .record(
    form(isCredentialName, CREDENTIAL_NAME_FORM).meta({ pattern: CREDENTIAL_NAME.source }),
    z.strictObject({
      secret: objectName.describe(
        "Name of the Secret, in the stack's namespace. It is not looked at: without it no pod that needs it starts.",
      ),
      key: dataKey.describe("Key in it, whose value is the file."),
    }),
  )
  .default({});
