// Which account and container, at which address, and by which key: of STORE_URL and a connection string together.
import type { StoreSettings } from "../../config/store-settings.ts";
import { AppError } from "../../model/app-error.ts";
import { parseStoreUrl } from "../../model/store-url.ts";

/** A container, and the secrets that the settings have for it. */
export interface AzureAccount {
  account: string;
  container: string;
  /** The address of the account's blob service, without a slash at its end. */
  endpoint: string;
  /** The account's key in base64; "" where there is none. */
  key: string;
  /** A shared access signature without its question mark; "" where there is none. */
  sas: string;
}

/** The storage of the clouds whose sign-in is not at login.microsoftonline.com. */
const SUFFIX_BY_AUTHORITY: readonly [RegExp, string][] = [
  [/\.chinacloudapi\.cn\/$|\.partner\.microsoftonline\.cn\/$/, "core.chinacloudapi.cn"],
  [/\.microsoftonline\.us\/$/, "core.usgovcloudapi.net"],
];

/** Plans it. Throws AppError "configuration" for settings that contradict each other. */
export function planAzureAccount(settings: StoreSettings): AzureAccount {
  const address = parseStoreUrl(settings.STORE_URL);
  if (address?.kind !== "azure")
    throw new AppError("configuration", "STORE_URL names no container of Azure Blob Storage");
  const { account, container } = address;
  const given = parseConnectionString(settings.AZURE_STORAGE_CONNECTION_STRING);
  const other = given.get("accountname");
  if (other !== undefined && other !== account)
    throw new AppError(
      "configuration",
      `STORE_URL names the account ${account}, AZURE_STORAGE_CONNECTION_STRING another`,
      { hint: "set both for one account" },
    );
  const byAuthority = SUFFIX_BY_AUTHORITY.find(([host]) =>
    host.test(settings.AZURE_AUTHORITY_HOST),
  );
  const suffix = given.get("endpointsuffix") ?? byAuthority?.[1] ?? "core.windows.net";
  const endpoint =
    address.endpoint ??
    given.get("blobendpoint") ??
    `${given.get("defaultendpointsprotocol") ?? "https"}://${account}.blob.${suffix}`;
  const key = given.get("accountkey") ?? settings.AZURE_STORAGE_KEY;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(key))
    throw new AppError("configuration", "the key of the storage account is not base64", {
      hint: "AZURE_STORAGE_KEY takes one of the account's two access keys, as the portal shows it",
    });
  const sas = given.get("sharedaccesssignature") ?? settings.AZURE_STORAGE_SAS_TOKEN;
  return {
    account,
    container,
    endpoint: endpoint.replace(/\/+$/, ""),
    key,
    sas: sas.replace(/^\?/, ""),
  };
}

/** Reads `Name=value;Name=value`; names in lower case. Throws AppError "configuration" for another text. */
function parseConnectionString(text: string): Map<string, string> {
  const fields = text.split(";").filter((field) => field.trim() !== "");
  return new Map(
    fields.map((field) => {
      const [, name, value] = /^\s*([A-Za-z]+)=(.+)$/.exec(field) ?? [];
      if (name === undefined || value === undefined)
        throw new AppError("configuration", "AZURE_STORAGE_CONNECTION_STRING is none", {
          hint: "it reads AccountName=…;AccountKey=…;EndpointSuffix=…, as the portal shows it",
        });
      return [name.toLowerCase(), value.trim()];
    }),
  );
}
