// The socket's file on a real file system.
import { expect, test } from "bun:test";
import { closeSync, lstatSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import {
  openSocketFile,
  removeSocketFile,
  stateOfSocketFile,
} from "../../../src/listener/socket-file.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("only its owner may connect, and nothing else is left in the folder", () =>
  withFolder(async (folder) => {
    const socket = openSocketFile(folder);
    expect(lstatSync(socket.path).isSocket()).toBe(true);
    expect(lstatSync(socket.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["cdc.sock"]);
    const client = connect(socket.path);
    await once(client, "connect");
    client.destroy();
    closeSync(socket.fd);
  }));

test("a second listener takes the name over, and the first one sees it", () =>
  withFolder(async (folder) => {
    const first = openSocketFile(folder);
    const second = openSocketFile(folder);
    expect(stateOfSocketFile(first.path, first.inode)).toBe("replaced");
    expect(stateOfSocketFile(second.path, second.inode)).toBe("ours");
    removeSocketFile(first);
    expect(stateOfSocketFile(second.path, second.inode)).toBe("ours");
    removeSocketFile(second);
    expect(stateOfSocketFile(second.path, second.inode)).toBe("missing");
    closeSync(first.fd);
    closeSync(second.fd);
  }));

test("a file in the socket's place is replaced", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "cdc.sock"), "left behind");
    const socket = openSocketFile(folder);
    expect(lstatSync(socket.path).isSocket()).toBe(true);
    closeSync(socket.fd);
    unlinkSync(socket.path);
  }));

test("a folder that is not there is named", () => {
  expect(() => openSocketFile("/nonexistent/h")).toThrow(
    "cannot make the socket /nonexistent/h/cdc.sock",
  );
});
