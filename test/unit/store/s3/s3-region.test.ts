// A store that insists on a region and then still refuses: one message, which names the region and the setting.
import { afterEach, expect, test } from "bun:test";
import { explainS3Error } from "../../../../src/store/s3/s3-errors.ts";
import { openS3Writer } from "../../../../src/store/s3/s3-writer.ts";
import { describeError } from "../../../../src/model/app-error.ts";
import {
  startScriptedStore,
  type Asked,
  type ScriptedStore,
} from "../../../support/scripted-store.ts";
import { storeSettings } from "../../../support/store-settings.ts";
import { REGION_REFUSALS, signedRegion } from "../../../support/strict-front.ts";

const never = new AbortController().signal;
const DUMP = { path: "/T", sizeBytes: 1, deliveryId: "id", labels: { facts: {}, tags: {} } };
let running: ScriptedStore | undefined;

afterEach(() => running?.stop());

/** What a look at an object says, and which regions it was signed for. */
async function looked(answer: (asked: Asked) => Response) {
  running = startScriptedStore(answer);
  const settings = storeSettings({
    S3_ENDPOINT: running.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
  });
  const look = openS3Writer(settings).examine("T.zip", DUMP, undefined, never);
  const message = await look.then(String, describeError);
  return { message, signed: running.asked.map(({ headers }) => signedRegion(headers)) };
}

test.each(Object.entries(REGION_REFUSALS))(
  "%s, to every region that it named: it is tried once and named",
  async (_, refuse) => {
    let flips = 0;
    const { message, signed } = await looked(({ method, headers }) =>
      refuse(flips++ < 9 && signedRegion(headers) === "eu-west-1" ? "eu-north-1" : "eu-west-1")(
        method,
      ),
    );
    expect(message).toMatch(/eu-(west|north)-1.*set S3_REGION to eu-(west|north)-1/);
    expect(message).not.toContain("UnknownError");
    expect(signed.length).toBeLessThanOrEqual(6);
  },
);

test("an address that is another region's own is named, as no signature helps there", () => {
  const refusal = Object.assign(new Error("wrong region"), {
    name: "PermanentRedirect",
    $metadata: { httpStatusCode: 301 },
    Region: "eu-west-1",
  });
  const address = "https://s3.us-east-1.amazonaws.com";
  const context = { action: "look", bucket: "cores", address, hostRegion: "us-east-1" };
  expect(describeError(explainS3Error(refusal, context))).toMatch(
    /bucket cores is in eu-west-1.*set S3_ENDPOINT to the address of eu-west-1/,
  );
});

test("a refusal without a word names what it can be about", async () => {
  const { message } = await looked(() => new Response(null, { status: 400 }));
  expect(message).toContain("refused it (400)");
  expect(message).toContain("S3_REGION");
  expect(message).not.toContain("UnknownError");
});

test("where a look is refused without a word, the answer to a question tells why", async () => {
  const { message } = await looked(({ method }) =>
    method === "HEAD"
      ? new Response(null, { status: 400 })
      : new Response("<Error><Code>ExpiredToken</Code><Message>old</Message></Error>", {
          status: 400,
        }),
  );
  expect(message).toContain("credentials");
  expect(message).toContain("have expired");
});

test("a redirect to elsewhere names S3_ENDPOINT, and where it leads without its path", async () => {
  const { message } = await looked(
    () =>
      new Response(null, { status: 301, headers: { location: "https://store.example/a?sig=x" } }),
  );
  expect(message).toMatch(/redirects to https:\/\/store\.example:? .*S3_ENDPOINT/);
  expect(message).not.toContain("sig=");
});
