// A composer's logging, as a process of its own: argv is the folder, the writer's name and how many records.
import { ComposerLog } from "../../src/host/composer-log.ts";

const [folder = "", name = "", count = "0"] = process.argv.slice(2);
const log = new ComposerLog(folder, name, "info");
for (let i = 0; i < Number(count); i++)
  log.milestone("info", "core_drained", { core_bytes: i, end: `${"x".repeat(150)}\n"\u2028` });
