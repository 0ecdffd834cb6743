// Python's verdict on all zips of a folder in one run: a test can judge hundreds of them.
import { runTool } from "./run-tool.ts";

export interface JudgedZip {
  /** The first entry whose data or check sum is wrong, or what is wrong with the zip itself. */
  bad: string | null;
  names: string[];
  sizes: number[];
  /** dump-info, where there is one. */
  info: Record<string, unknown>;
}

const SCRIPT = `
import json, os, sys, zipfile
judged = {}
for name in sorted(os.listdir(sys.argv[1])):
    if not name.endswith(".zip"): continue
    try:
        with zipfile.ZipFile(os.path.join(sys.argv[1], name)) as z:
            info = json.loads(z.read(z.namelist()[0]))
            judged[name] = {"bad": z.testzip(), "names": z.namelist(), "info": info,
                            "sizes": [i.file_size for i in z.infolist()]}
    except Exception as error:
        judged[name] = {"bad": repr(error), "names": [], "sizes": [], "info": {}}
print(json.dumps(judged))
`;

/** By file name. */
export async function judgeZips(folder: string): Promise<Record<string, JudgedZip>> {
  return JSON.parse(await runTool(["python3", "-c", SCRIPT, folder])) as Record<string, JudgedZip>;
}
