// Loaded by `bun test` before every test file (bunfig.toml): its afterAll runs once, after the last of them.
import { afterAll } from "bun:test";
import { runEndTasks } from "./at-end.ts";

afterAll(runEndTasks);
