// The file that GOOGLE_APPLICATION_CREDENTIALS names: a service account's key, a workload identity federation
// (external_account), or a person's own sign-in (gcloud auth application-default login).
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { AppError } from "../../model/app-error.ts";

const text = v.pipe(v.string(), v.minLength(1));
const url = v.pipe(v.string(), v.url(), v.regex(/^https?:/));

const serviceAccount = v.object({
  type: v.literal("service_account"),
  client_email: text,
  private_key: text,
  private_key_id: v.optional(text),
  token_uri: v.optional(url, "https://oauth2.googleapis.com/token"),
});

const format = v.optional(
  v.object({ type: v.string(), subject_token_field_name: v.optional(text) }),
  { type: "text" },
);
const externalAccount = v.object({
  type: v.literal("external_account"),
  audience: text,
  subject_token_type: text,
  token_url: url,
  service_account_impersonation_url: v.optional(url),
  credential_source: v.union([
    v.object({ file: text, format }),
    v.object({ url, headers: v.optional(v.record(v.string(), v.string()), {}), format }),
  ]),
});

const person = v.object({
  type: v.literal("authorized_user"),
  client_id: text,
  client_secret: text,
  refresh_token: text,
});

/** A service account's key. */
export type ServiceAccount = v.InferOutput<typeof serviceAccount>;
/** A workload identity federation: where a token of another issuer comes from, and where it is exchanged. */
export type ExternalAccount = v.InferOutput<typeof externalAccount>;
/** A person's sign-in. */
export type Person = v.InferOutput<typeof person>;

const schema = v.variant("type", [serviceAccount, externalAccount, person]);

/** Reads the file. Throws AppError "configuration" without anything of its content. */
export function readCredentialFile(path: string): v.InferOutput<typeof schema> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    // An error of JSON.parse shows what it read.
    const cause = error instanceof SyntaxError ? new Error("it is not JSON") : error;
    throw new AppError("configuration", `cannot read GOOGLE_APPLICATION_CREDENTIALS ${path}`, {
      cause,
    });
  }
  const parsed = v.safeParse(schema, content);
  if (parsed.success) return parsed.output;
  const where = v.getDotPath(parsed.issues[0]) ?? "its content";
  throw new AppError(
    "configuration",
    `GOOGLE_APPLICATION_CREDENTIALS ${path}: ${where} is missing or of no known form`,
    {
      hint: "it takes a service account's key, an external_account with a file or url as its source, or gcloud's application default credentials",
    },
  );
}
