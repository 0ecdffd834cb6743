// A bucket of a test's own on the real S3 server, looked at through the AWS SDK's default transport: not
// through the code under test.
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startRadosgw, type S3Server } from "./radosgw.ts";

export interface Bucket {
  name: string;
  server: S3Server;
  /** Every key in it. */
  keys(): Promise<string[]>;
  /** SHA-256 of an object's bytes, in hex. */
  sha256(key: string): Promise<string>;
  /** Writes an object to a file. */
  fetch(key: string, path: string): Promise<void>;
  metadata(key: string): Promise<Record<string, string>>;
  tags(key: string): Promise<Record<string, string>>;
  /** Keys of unfinished multipart uploads. */
  unfinished(): Promise<string[]>;
  /** The bucket's policy: which user of the server may do what. */
  allow(rights: Readonly<Record<string, readonly string[]>>): Promise<void>;
  put(key: string, body: string | Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
}

let count = 0;

export async function makeBucket(): Promise<Bucket> {
  const server = await startRadosgw();
  const client = new S3Client({
    endpoint: server.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secret },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const name = `cores-${process.pid}-${++count}`;
  const Bucket = name;
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    name,
    server,
    async keys() {
      const found: string[] = [];
      for (let token: string | undefined; ;) {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        );
        found.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ""));
        token = page.NextContinuationToken;
        if (token === undefined) return found.sort();
      }
    },
    async sha256(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      const hasher = new Bun.CryptoHasher("sha256");
      for await (const chunk of Body?.transformToWebStream() ?? []) hasher.update(chunk);
      return hasher.digest("hex");
    },
    async fetch(key, path) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      await Bun.write(path, new Response(Body?.transformToWebStream()));
    },
    async metadata(key) {
      const { Metadata } = await client.send(new HeadObjectCommand({ Bucket, Key: key }));
      return Metadata ?? {};
    },
    async tags(key) {
      const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket, Key: key }));
      return Object.fromEntries((TagSet ?? []).map(({ Key, Value }) => [Key, Value]));
    },
    async unfinished() {
      const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      return (Uploads ?? []).map(({ Key }) => Key ?? "");
    },
    async allow(rights) {
      const Statement = Object.entries(rights).map(([user, actions]) => ({
        Effect: "Allow",
        Principal: { AWS: [`arn:aws:iam:::user/${user}`] },
        Action: actions,
        Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
      }));
      const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
      await client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    },
    async put(key, body) {
      await client.send(new PutObjectCommand({ Bucket, Key: key, Body: body }));
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
    },
  };
}
