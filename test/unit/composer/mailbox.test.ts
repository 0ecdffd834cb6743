import { expect, test } from "bun:test";
import { Mailbox } from "../../../src/composer/mailbox.ts";

test("what is put in comes out in order, whether it is waited for or not", async () => {
  const box = new Mailbox<number>();
  box.put(1);
  box.put(2);
  const taken = [box.take(), box.take(), box.take(), box.take()];
  box.put(3);
  box.put(4);
  expect(await Promise.all(taken)).toEqual([1, 2, 3, 4]);
});

test("closed, it gives what is in it, and then nothing to everyone who waits", async () => {
  const box = new Mailbox<number>();
  box.put(1);
  box.close();
  expect([await box.take(), await box.take()]).toEqual([1, undefined]);

  const empty = new Mailbox<number>();
  const waiting = [empty.take(), empty.take()];
  empty.close();
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
});
