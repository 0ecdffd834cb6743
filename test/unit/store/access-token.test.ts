import { expect, test } from "bun:test";
import { keepToken } from "../../../src/store/access-token.ts";

const never = new AbortController().signal;

function issuer(lifetimeSeconds: number) {
  let issued = 0;
  let nowMs = 0;
  const source = keepToken(
    async () => ({ token: `t${++issued}`, lifetimeSeconds }),
    () => nowMs,
  );
  return {
    get: () => source.get(never),
    forget: () => source.forget(),
    pass: (seconds: number) => {
      nowMs += seconds * 1000;
    },
  };
}

test("a token is kept until five minutes before its end", async () => {
  const { get, pass } = issuer(3600);
  expect(await get()).toBe("t1");
  pass(3299);
  expect(await get()).toBe("t1");
  pass(2);
  expect(await get()).toBe("t2");
});

test("of a short life the last fifth is left out", async () => {
  const { get, pass } = issuer(10);
  expect(await get()).toBe("t1");
  pass(7.9);
  expect(await get()).toBe("t1");
  pass(0.2);
  expect(await get()).toBe("t2");
});

test("requests at the same time share one question, and a refused token is asked for anew", async () => {
  const { get, forget } = issuer(3600);
  expect(await Promise.all([get(), get(), get()])).toEqual(["t1", "t1", "t1"]);
  forget();
  expect(await get()).toBe("t2");
});

test("a question that failed is asked again", async () => {
  let tries = 0;
  const source = keepToken(async () => {
    if (tries++ === 0) throw new Error("down");
    return { token: "t", lifetimeSeconds: 60 };
  });
  expect(await source.get(never).catch(String)).toContain("down");
  expect(await source.get(never)).toBe("t");
});
