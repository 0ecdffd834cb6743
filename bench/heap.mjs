// A program to crash: fills about MB megabytes of a JavaScript heap as services do (records, strings,
// some random bytes), says "ready" and waits for a signal. Run by node: heap.mjs MB
import { randomBytes } from "node:crypto";

const wantedBytes = Number(process.argv[2] ?? 1500) * 1e6;
const kept = [];
for (let id = 0; process.memoryUsage.rss() < wantedBytes;) {
  const page = [];
  for (let n = 0; n < 2000; n++, id++)
    page.push({
      id,
      name: `user-${(id * 7919) % 100003}`,
      email: `u${id}@example.com`,
      tags: [`a${id % 17}`, `b${id % 31}`],
      score: Math.random(),
      created: new Date(1.6e12 + id * 1000).toISOString(),
      token: id % 50 === 0 ? randomBytes(256) : null,
    });
  kept.push(page);
}
console.log("ready");
setInterval(() => kept.length, 1000);
