// What has to be undone when the tests, or the script, are over: servers stopped, folders removed. `bun test`
// fires no "exit" event (1.4.5); preload.ts runs the tasks there.
const tasks: (() => void)[] = [];

/** Runs a task once everything is over, the last one first. */
export function atEnd(task: () => void): void {
  if (tasks.length === 0) process.once("exit", runEndTasks);
  tasks.push(task);
}

/** Runs them all; what one throws is told, and stops no other. */
export function runEndTasks(): void {
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop())
    try {
      task();
    } catch (error) {
      console.error("could not be undone:", error);
    }
}
