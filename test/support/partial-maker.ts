// A process that makes a dump's hidden file in the folder given, writes to it and publishes it, as a composer does;
// it prints the dump's name. For tests that stop it between two of its system calls.
import { PartialFile } from "../../src/composer/partial-file.ts";

const [folder = "", uuid = ""] = process.argv.slice(2);
const file = await PartialFile.create(folder, uuid);
await file.append([new TextEncoder().encode("a whole dump")]);
console.log(await file.publish("T"));
