import { expect, test } from "bun:test";
import {
  agentVariables,
  readAgentSettings,
  readHostSettings,
} from "../../../src/config/agent-settings.ts";
import { COMPOSER_SETTINGS, readComposerSettings } from "../../../src/config/composer-settings.ts";

test("without any variable it is the ancestor's default install", () => {
  expect(readAgentSettings({})).toMatchObject({
    HOST_DIR: "/var/mnt/core-dump-handler",
    CORE_DIR: "/var/mnt/core-dump-handler/cores",
    EVENT_DIR: "/var/mnt/core-dump-handler/events",
    SUID_DUMPABLE: 2,
    CORE_PIPE_LIMIT: 128,
    INTERVAL: 0,
    composer: { TIMEOUT: 600, COMPRESSION: true, LOG_LENGTH: 500 },
  });
});

test("CORE_DIR and EVENT_DIR follow HOST_DIR, and reach the composer", () => {
  const moved = readAgentSettings({ HOST_DIR: "/srv/cdh/" });
  expect(moved).toMatchObject({ CORE_DIR: "/srv/cdh/cores", EVENT_DIR: "/srv/cdh/events" });
  expect(moved.composer).toMatchObject({
    CORE_DIR: "/srv/cdh/cores",
    EVENT_DIRECTORY: "/srv/cdh/events",
  });
});

test("COMP_CORE_EVENT_DIR is an older name of EVENT_DIR, which wins", () => {
  expect(readAgentSettings({ COMP_CORE_EVENT_DIR: "/Old" }).composer.EVENT_DIRECTORY).toBe("/Old");
  const both = readAgentSettings({ COMP_CORE_EVENT_DIR: "/old", EVENT_DIR: "/new" });
  expect(both.EVENT_DIR).toBe("/new");
});

test("every setting of the composer can be given to the agent, and arrives", () => {
  const given: Record<string, [string, unknown]> = {
    LOG_LEVEL: ["Debug", "Debug"],
    IGNORE_CRIO: ["true", true],
    INCLUDE_PROC_INFO: ["true", true],
    CRIO_IMAGE_CMD: ["images", "images"],
    FILENAME_TEMPLATE: ["{uuid}", "{uuid}"],
    LOG_LENGTH: ["7", 7],
    POD_SELECTOR_LABEL: ["a=b", "a=b"],
    TIMEOUT: ["9", 9],
    COMPRESSION: ["false", false],
    CORE_EVENTS: ["true", true],
    CRI_CLIENT: ["native", "native"],
    CRI_TIMEOUT: ["3", 3],
    NAMESPACE_INCLUDE: ["a*", "a*"],
    NAMESPACE_EXCLUDE: ["b", "b"],
    INCLUDE_UNDUMPABLE_PROC_INFO: ["true", true],
    MAX_CORE_SIZE: ["1Gi", 2 ** 30],
    CORE_CONTENT: ["auto", "auto"],
    FULL_CORE_MAX: ["2Gi", 2 ** 31],
    POD_POLICY: ["true", true],
    DISK_RESERVE: ["0", 0],
    SPOOL_MAX: ["2Gi", String(2 ** 31)],
    DISK_QUOTA: ["7%", "7%"],
    DISK_FREE: ["1048576", "1048576"],
    CRASH_LOOP_LIMIT: ["3", 3],
    CRASH_LOOP_NAMESPACE_LIMIT: ["7", 7],
    CRASH_LOOP_WINDOW: ["60", 60],
    DUMPS_AT_ONCE: ["9", 9],
    KEEP_PER_BUG: ["3", 3],
    // False would contradict KEEP_PER_BUG.
    EXPLAIN: ["yes", true],
    EXPLAIN_TIMEOUT: ["9", 9],
    REPORT: ["false", false],
    MODULES: ["all", "all"],
    MODULE_MAX_SIZE: ["1Gi", 2 ** 30],
  };
  // PREVIOUS_HANDLER: what the agent finds on the host, see previous-pattern.ts.
  const fed = [
    "USE_CRIO_CONF",
    "EVENT_DIRECTORY",
    "CRIO_ENDPOINT",
    "CORE_DIR",
    "PREVIOUS_HANDLER",
    "NODE_NAME",
    "STORE_KEY_TEMPLATE",
    "CLUSTER_NAME",
  ];
  const source = Object.fromEntries(
    Object.entries(given).map(([key, [text]]) => [`COMP_${key}`, text]),
  );
  const { composer } = readAgentSettings({
    ...source,
    DEPLOY_CRIO_CONFIG: "true",
    CRIO_ENDPOINT: "unix:///x",
    NODE_NAME: "node-1.pool",
  });
  for (const [key, [, value]] of Object.entries(given)) expect(composer).toHaveProperty(key, value);
  expect(composer).toMatchObject({
    USE_CRIO_CONF: true,
    CRIO_ENDPOINT: "unix:///x",
    NODE_NAME: "node-1.pool",
  });
  // A new setting of the composer belongs into the table above.
  expect(Object.keys(COMPOSER_SETTINGS).toSorted()).toEqual(
    [...Object.keys(given), ...fed].toSorted(),
  );
});

test("one message lists everything that is wrong, and no secret", () => {
  const wrong = {
    HOST_DIR: "relative",
    INTERVAL: "soon",
    SCHEDULE: "1/1 * *",
    COMP_TIMEOUT: "0",
    COMP_FILENAME_TEMPLATE: "{host}",
    S3_ACCESS_KEY: "AKIA",
    S3_SECRET: "hush\u0007hush",
  };
  let message = "";
  try {
    readAgentSettings(wrong);
  } catch (error) {
    message = String(error);
  }
  for (const variable of [
    "HOST_DIR",
    "INTERVAL",
    "SCHEDULE",
    "COMP_TIMEOUT",
    "COMP_FILENAME_TEMPLATE",
    "S3_SECRET",
  ])
    expect(message).toContain(`${variable} is `);
  expect(message).not.toContain("hush");
});

test("an access key without its secret is a mistake, and so is the reverse", () => {
  expect(() => readAgentSettings({ S3_ACCESS_KEY: "a" })).toThrow("S3_SECRET");
  expect(() => readAgentSettings({ S3_SECRET: "a" })).toThrow("S3_ACCESS_KEY");
});

test.each(["* * * * *", "1/1 * * * * *", "@daily", "0 3 * * MON-FRI"])(
  "SCHEDULE %p is one",
  (given) => {
    expect(readAgentSettings({ SCHEDULE: given }).SCHEDULE).toBe(given);
  },
);
test.each(["* * * *", "61 * * * *", "soon", "* * * * * * * *", "0 0 3 * * 0"])(
  "SCHEDULE %p is none",
  (given) => {
    expect(() => readAgentSettings({ SCHEDULE: given })).toThrow("SCHEDULE");
  },
);

test("known bugs cannot be told without explaining, and that is said in one line", () => {
  const wanted = { COMP_KEEP_PER_BUG: "3", COMP_EXPLAIN: "false" };
  expect(() => readAgentSettings(wanted)).toThrow("wrong settings");
  const expected = "0 where EXPLAIN is false, as no bug is known then";
  expect(readComposerSettings({ KEEP_PER_BUG: "3", EXPLAIN: "false" }).complaints).toEqual([
    { variable: "KEEP_PER_BUG", value: "3", expected },
  ]);
  expect(readAgentSettings({ COMP_EXPLAIN: "false" }).composer.EXPLAIN).toBe(false);
});

test("a time zone is one that exists", () => {
  expect(readAgentSettings({ TZ: "Europe/Berlin" }).TZ).toBe("Europe/Berlin");
  expect(() => readAgentSettings({ TZ: "Europe/Nowhere" })).toThrow("TZ");
});

test("a removal does not mind settings that it does not need", () => {
  const source = { HOST_DIR: "/h", SCHEDULE: "soon", COMP_TIMEOUT: "never" };
  expect(() => readAgentSettings(source)).toThrow();
  expect(readHostSettings(source).HOST_DIR).toBe("/h");
});

test("no variable has two meanings", () => {
  const names = agentVariables();
  expect(new Set(names).size).toBe(names.length);
});

test("CAPTURE_MODE is auto, or one of the three ways by name; another word is refused with them", () => {
  expect(readAgentSettings({}).CAPTURE_MODE).toBe("auto");
  expect(readAgentSettings({ CAPTURE_MODE: "Socket" }).CAPTURE_MODE).toBe("socket");
  expect(() => readAgentSettings({ CAPTURE_MODE: "stream" })).toThrow(
    /CAPTURE_MODE is "stream"; expected .*auto.*pipe.*socket.*file/,
  );
});
