// A store seen from a prefix of its keys (STORE_URL=s3://bucket/prefix). Callers' keys are relative to the prefix, as
// those of a directory are to its path.
import type { MultipartWriter, StoreReader, StoreWriter, Upload } from "./store-port.ts";

/** Makes the writer's keys relative to the prefix. The writer's own key template must have the prefix already. */
export function prefixedWriter(writer: StoreWriter, prefix: string): StoreWriter {
  if (prefix === "") return writer;
  const { multipart } = writer;
  return {
    get name() {
      return nameOf(writer, prefix);
    },
    rightsToLook: writer.rightsToLook,
    ...(writer.answersDigest === undefined ? {} : { answersDigest: writer.answersDigest }),
    get isConditional() {
      return writer.isConditional === true;
    },
    multipart: multipart === undefined ? undefined : prefixedMultipart(multipart, prefix),
    examine: (key, ...rest) => writer.examine(prefix + key, ...rest),
    put: (key, ...rest) => writer.put(prefix + key, ...rest),
    mark: (key, signal) => writer.mark(prefix + key, signal),
    probe: async (signal) => ({ ...(await writer.probe(signal)), name: nameOf(writer, prefix) }),
    close: () => writer.close(),
  };
}

function prefixedMultipart(multipart: MultipartWriter, prefix: string): MultipartWriter {
  const inside = <T extends Upload>(upload: T): T => ({ ...upload, key: prefix + upload.key });
  const outside = <T extends Upload>(upload: T): T => ({
    ...upload,
    key: upload.key.slice(prefix.length),
  });
  return {
    concurrency: multipart.concurrency,
    plan: (sizeBytes) => multipart.plan(sizeBytes),
    create: async (key, ...rest) => outside(await multipart.create(prefix + key, ...rest)),
    uploadPart: (upload, ...rest) => multipart.uploadPart(inside(upload), ...rest),
    listParts: (upload, signal) => multipart.listParts(inside(upload), signal),
    complete: (upload, ...rest) => multipart.complete(inside(upload), ...rest),
    abort: (upload, signal) => multipart.abort(inside(upload), signal),
    listUploads: async (key, signal) =>
      (await multipart.listUploads(prefix + key, signal)).map(outside),
  };
}

/** Makes the reader's keys relative to the prefix. It lists nothing outside. */
export function prefixedReader(reader: StoreReader, prefix: string): StoreReader {
  if (prefix === "") return reader;
  return {
    name: nameOf(reader, prefix),
    async *list(wanted, except) {
      const left = except === undefined ? undefined : prefix + except;
      for await (const dump of reader.list(prefix + wanted, left))
        yield { ...dump, key: dump.key.slice(prefix.length) };
    },
    async *names(wanted, after) {
      for await (const page of reader.names(prefix + wanted, prefix + (after ?? "")))
        yield page.map((key) => key.slice(prefix.length));
    },
    head: (key, bytes) => reader.head(prefix + key, bytes),
    open: (key) => reader.open(prefix + key),
    close: () => reader.close(),
  };
}

function nameOf({ name }: { readonly name: string }, prefix: string): string {
  return `${prefix} in ${name}`;
}
