// What a build takes from elsewhere is named by its hash, and a job may do no more than it needs.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { ROOT } from "../../../build/targets.ts";

interface Step {
  uses?: string;
  with?: Record<string, unknown>;
}
interface Job {
  if?: string;
  permissions?: Record<string, string>;
  steps: Step[];
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const FOLDER = join(ROOT, ".github/workflows");
const FILES = readdirSync(FOLDER);
const textOf = (file: string) => readFileSync(join(FOLDER, file), "utf8");
const jobsOf = (file: string) => {
  const workflow = Bun.YAML.parse(textOf(file)) as Workflow;
  return Object.entries(workflow.jobs).map(([name, job]) => ({
    name,
    job,
    permissions: job.permissions ?? workflow.permissions,
  }));
};

test.each(FILES)(
  "every action of %s is named by its commit, with the version beside it",
  (file) => {
    const uses = textOf(file)
      .split("\n")
      .filter((line) => line.includes("uses:"));
    expect(uses).not.toBeEmpty();
    for (const line of uses)
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  },
);

test.each(["Dockerfile.gnu", "Dockerfile.musl"])(
  "every image that %s begins with has a digest",
  (file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const bases = [...text.matchAll(/^ARG \w+_BASE=(.*)$/gm)].map(([, base]) => base);
    expect(bases).toHaveLength(2);
    for (const base of bases) expect(base).toMatch(/:[\w.-]+@sha256:[0-9a-f]{64}$/);
    const from = [...text.matchAll(/^FROM (?:--\S+ )?(\S+)/gm)].map(([, image]) => image ?? "");
    // The others are stages of the file itself.
    const stages = [...text.matchAll(/ AS (\w+)$/gm)].map(([, stage]) => stage ?? "");
    const foreign = from.filter((image) => !image.startsWith("$") && !stages.includes(image));
    expect(foreign).toEqual(["scratch"]);
  },
);

test.each(FILES)("in %s only what publishes a release may write", (file) => {
  for (const { job, permissions } of jobsOf(file)) {
    const writes = Object.entries(permissions).filter(([, level]) => level !== "read");
    const pushes = job.steps.some((step) => step.with?.["push"] === true);
    expect(pushes).toBe("packages" in permissions);
    if (writes.length > 0) expect(job.if).toBe("github.ref_type == 'tag'");
  }
});

test.each(FILES)("no job of %s leaves the token in its checkout", (file) => {
  const checkouts = jobsOf(file)
    .flatMap(({ job }) => job.steps)
    .filter(({ uses }) => uses?.startsWith("actions/checkout@") === true);
  expect(checkouts).not.toBeEmpty();
  for (const step of checkouts) expect(step.with).toMatchObject({ "persist-credentials": false });
});
