// Java reads zips in two ways of its own, one of them as a stream that never sees the directory.
import { expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runComposerProcess } from "../support/composer-process.ts";
import { gatedTest, missingProgram } from "../support/gate.ts";
import { installComposer } from "../support/installed-composer.ts";
import { runTool } from "../support/run-tool.ts";
import { sampleCore } from "../support/sample-core.ts";
import { withFolder } from "../support/temporary-folder.ts";

const PROGRAM = `
import java.io.*;
import java.util.zip.*;
public class Main {
  static void show(String name, InputStream in) throws Exception {
    CRC32 crc = new CRC32();
    byte[] all = in.readAllBytes();
    crc.update(all);
    System.out.println(name + " " + all.length + " " + crc.getValue());
  }
  public static void main(String[] args) throws Exception {
    for (String path : args) {
      try (ZipInputStream stream = new ZipInputStream(new FileInputStream(path))) {
        for (ZipEntry entry; (entry = stream.getNextEntry()) != null;) show(entry.getName(), stream);
      }
      try (ZipFile zip = new ZipFile(path)) {
        for (var entries = zip.entries(); entries.hasMoreElements();) {
          ZipEntry entry = entries.nextElement();
          show(entry.getName(), zip.getInputStream(entry));
        }
      }
    }
  }
}
`;

gatedTest(
  "both ways bring back the core, deflated and stored",
  [missingProgram("java"), missingProgram("javac")],
  () =>
    withFolder(async (folder) => {
      const core = sampleCore(900_000, 23);
      writeFileSync(join(folder, "core"), core);
      writeFileSync(join(folder, "Main.java"), PROGRAM);
      const composer = await installComposer(folder, { FILENAME_TEMPLATE: "{exe_name}" });
      for (const args of [["-e=deflated"], ["-e=stored", "-D"]])
        expect(await runComposerProcess(composer, { script: "cat core", args })).toBe(0);
      const zips = ["deflated", "stored"].map((name) => join(composer.coreDir, `${name}.zip`));
      const seen = await runTool(["java", join(folder, "Main.java"), ...zips]);
      const crc = Bun.hash.crc32(core);
      for (const name of ["deflated", "stored"]) {
        const lines = seen.split("\n").filter((line) => line.startsWith(`${name}.core`));
        expect(lines).toEqual(
          Array.from({ length: 2 }, () => `${name}.core ${core.length} ${crc}`),
        );
      }
    }),
  60_000,
);
